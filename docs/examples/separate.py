"""Takes a song apart in one call: separate.py GATEWAY SONG FOLDER.

Needs the stubs of proto/unbraid/v1 on PYTHONPATH; README.md says how to make them.
"""

import os
import sys

import grpc
from unbraid.v1 import separation_pb2, separation_service_pb2, separation_service_pb2_grpc, track_service_pb2

PART_BYTES = 256 * 1024


def requests(path):
    """The messages of a Separate call: what is wanted, then the file in parts."""
    name = os.path.basename(path)
    yield separation_service_pb2.SeparateRequest(
        start=separation_service_pb2.SeparateStart(
            upload=track_service_pb2.UploadSpec(display_name=name), download=True
        )
    )
    size = os.path.getsize(path)
    with open(path, "rb") as song:
        offset = 0
        while True:
            data = song.read(PART_BYTES)
            last = offset + len(data) >= size
            yield separation_service_pb2.SeparateRequest(
                part=track_service_pb2.UploadTrackRequest(write_offset=offset, data=data, finish_write=last)
            )
            offset += len(data)
            if last:
                return


def main():
    gateway, song, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    output = None
    with grpc.insecure_channel(gateway) as channel:
        stub = separation_service_pb2_grpc.SeparationServiceStub(channel)
        for response in stub.Separate(requests(song)):
            kind = response.WhichOneof("kind")
            if kind == "track":
                print(f"uploaded as {response.track.name}")
            elif kind == "separation":
                state = separation_pb2.Separation.State.Name(response.separation.state)
                print(f"{state} {response.separation.progress.percent:.0f} %")
            else:
                part = response.stem_part
                if part.HasField("stem_file"):
                    if output:
                        output.close()
                    path = os.path.join(folder, f"{part.stem_file.stem}.{part.stem_file.extension}")
                    print(f"writing {path}")
                    output = open(path, "wb")
                output.write(part.data)
    if output:
        output.close()


if __name__ == "__main__":
    main()
