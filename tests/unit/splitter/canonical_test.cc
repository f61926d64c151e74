#include "services/splitter/canonical.h"

#include <catch2/catch.hpp>
#include <limits>
#include <set>
#include <tuple>

#include "services/common/base/status.h"
#include "services/splitter/output_format.h"
#include "services/splitter/paging.h"
#include "services/splitter/poison.h"
#include "services/splitter/track_check.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

class CanonicalTest {
 protected:
  CanonicalTest() {
    WritePackage(folder_.path());
    package_ = LoadCatalogue(folder_.path()).default_package();
  }

  absl::StatusOr<Job> Make(const v1::Separation& wanted, const std::string& owner = "default") {
    return MakeJob(owner, wanted, track_, package_, "splitter-1");
  }

  test_support::TempDir folder_;
  model::Package package_;
  v1::Track track_ = SomeTrack();
};

TEST_CASE_METHOD(CanonicalTest, "an empty request means all stems, WAV, and a mix of all") {
  const auto job = Make({});
  REQUIRE(job.ok());
  const v1::Separation& canonical = job->open.separation();
  CHECK(std::vector<std::string>(canonical.stems().begin(), canonical.stems().end()) ==
        package_.stems);
  CHECK(canonical.mix().gains().size() == 3);
  CHECK(canonical.mix().gains().at("b") == 1.0);
  CHECK(canonical.output_format().container() == v1::OutputFormat::CONTAINER_WAV);
  CHECK(canonical.output_format().sample_format() == v1::SAMPLE_FORMAT_S16);
  CHECK(canonical.output_format().clip() == v1::OutputFormat::CLIP_POLICY_GAIN);
  CHECK(canonical.output_format().dither() == v1::OutputFormat::DITHER_NONE);
  CHECK_FALSE(canonical.output_format().has_quality());
  CHECK(canonical.model() == "tiny");
  CHECK(canonical.name() == base::SeparationName(job->id));
  CHECK(job->open.computed_stems_size() == 3);
}

TEST_CASE_METHOD(CanonicalTest, "Case 26: the same request in other words is the same separation") {
  v1::Separation plain;
  v1::Separation wordy;
  for (const char* stem : {"c", "a", "b", "a"}) wordy.add_stems(stem);
  wordy.set_model("tiny");
  wordy.mutable_output_format()->set_container(v1::OutputFormat::CONTAINER_WAV);
  wordy.mutable_output_format()->set_sample_format(v1::SAMPLE_FORMAT_SOURCE);
  (*wordy.mutable_mix()->mutable_gains())["a"] = 1.0;
  CHECK(Make(plain)->id == Make(wordy)->id);
  CHECK(Make(plain)->open.fingerprint_sha256() == Make(wordy)->open.fingerprint_sha256());
}

TEST_CASE_METHOD(CanonicalTest, "Case 26: other options, owner or content are another separation") {
  const auto id = Make({})->id;
  v1::Separation fewer;
  fewer.add_stems("a");
  v1::Separation flac;
  flac.mutable_output_format()->set_container(v1::OutputFormat::CONTAINER_FLAC);
  v1::Separation louder;
  (*louder.mutable_mix()->mutable_gains())["a"] = 2.0;
  CHECK(Make(fewer)->id != id);
  CHECK(Make(flac)->id != id);
  CHECK(Make(louder)->id != id);
  v1::Separation residual;
  residual.set_residual(true);
  CHECK(Make(residual)->id != id);
  CHECK(Make({}, "somebody")->id != id);
  track_.set_sha256(std::string(64, 'b'));
  CHECK(Make({})->id != id);
}

TEST_CASE_METHOD(CanonicalTest,
                 "Case 6: a residual needs all stems, and gives files to none of them") {
  v1::Separation wanted;
  wanted.add_stems("c");
  wanted.set_residual(true);
  const auto job = Make(wanted);
  REQUIRE(job.ok());
  CHECK(job->residual());
  CHECK(job->open.computed_stems_size() == 3);
  CHECK(job->open.separation().stems_size() == 1);
  CHECK(job->open.separation().mix().gains().size() == 1);
}

TEST_CASE_METHOD(CanonicalTest, "a stem that is only in the mix is computed but gets no file") {
  v1::Separation wanted;
  wanted.add_stems("c");
  (*wanted.mutable_mix()->mutable_gains())["a"] = 0.5;
  (*wanted.mutable_mix()->mutable_gains())["b"] = -0.0;  // neither wanted nor heard
  const auto job = Make(wanted);
  REQUIRE(job.ok());
  CHECK(job->open.separation().stems_size() == 1);
  REQUIRE(job->open.computed_stems_size() == 2);
  CHECK(job->open.computed_stems(0) == 0);
  CHECK(job->open.computed_stems(1) == 2);
  CHECK(job->open.separation().mix().gains().at("c") == 1.0);
}

TEST_CASE_METHOD(CanonicalTest, "a stem that the model lacks is refused with what there is") {
  v1::Separation wanted;
  wanted.add_stems("piano");
  const absl::Status status = Make(wanted).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(base::ReasonOf(status) == "UNKNOWN_STEM");
  CHECK(status.message() == "The model tiny has no stem 'piano'; it has a, b, c.");
  v1::Separation mixed;
  (*mixed.mutable_mix()->mutable_gains())["mix"] = 1.0;
  CHECK(base::ReasonOf(Make(mixed).status()) == "UNKNOWN_STEM");
}

TEST_CASE_METHOD(CanonicalTest, "a gain that is no number or too large is refused") {
  for (const double gain : {10.5, -11.0, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()}) {
    v1::Separation wanted;
    (*wanted.mutable_mix()->mutable_gains())["a"] = gain;
    const absl::Status status = Make(wanted).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(base::ReasonOf(status) == "INVALID_MIX");
  }
}

TEST_CASE_METHOD(CanonicalTest,
                 "Case 26: a lossy output without a wish is that with the defaults") {
  using O = v1::OutputFormat;
  for (const auto& [container, quality, kbps] :
       {std::tuple{O::CONTAINER_OGG_VORBIS, 0.6, 0}, std::tuple{O::CONTAINER_MP3, 0.8, 0},
        std::tuple{O::CONTAINER_OGG_OPUS, 0.0, 128}}) {
    v1::Separation plain;
    plain.mutable_output_format()->set_container(container);
    v1::Separation wordy = plain;
    O* format = wordy.mutable_output_format();
    format->set_sample_format(v1::SAMPLE_FORMAT_SOURCE);
    format->set_clip(O::CLIP_POLICY_GAIN);
    format->set_dither(O::DITHER_AUTO);
    if (quality > 0) format->set_quality(quality);
    format->set_bitrate_kbps(kbps);
    CHECK(Make(plain)->id == Make(wordy)->id);
    const O resolved = Make(plain)->open.separation().output_format();
    CHECK(resolved.container() == container);
    CHECK(resolved.sample_format() == v1::SAMPLE_FORMAT_UNSPECIFIED);
    CHECK(resolved.dither() == O::DITHER_UNSPECIFIED);
    CHECK(resolved.clip() == O::CLIP_POLICY_GAIN);
    CHECK(resolved.has_quality() == (quality > 0));
    CHECK(resolved.quality() == quality);
    CHECK(resolved.bitrate_kbps() == kbps);
  }
}

TEST_CASE_METHOD(CanonicalTest, "Case 26: each option of the output makes another separation") {
  using O = v1::OutputFormat;
  v1::Separation mp3;
  mp3.mutable_output_format()->set_container(O::CONTAINER_MP3);
  std::set<int64_t> ids = {Make({})->id.value(), Make(mp3)->id.value()};
  const auto other = [&](v1::Separation wanted, const auto& change) {
    change(wanted.mutable_output_format());
    CHECK(ids.insert(Make(wanted)->id.value()).second);
  };
  other({}, [](O* format) { format->set_container(O::CONTAINER_AIFF); });
  other({}, [](O* format) { format->set_sample_format(v1::SAMPLE_FORMAT_S32); });
  other({}, [](O* format) { format->set_clip(O::CLIP_POLICY_CLAMP); });
  other({}, [](O* format) { format->set_clip(O::CLIP_POLICY_NONE); });
  other({}, [](O* format) { format->set_dither(O::DITHER_TPDF); });
  other(mp3, [](O* format) { format->set_quality(0.7); });
  other(mp3, [](O* format) { format->set_bitrate_kbps(192); });
  v1::Separation opus;
  opus.mutable_output_format()->set_container(O::CONTAINER_OGG_OPUS);
  other(opus, [](O* format) { format->set_bitrate_kbps(96); });
}

TEST_CASE_METHOD(CanonicalTest, "an output that the container cannot hold is refused") {
  v1::Separation wanted;
  wanted.mutable_output_format()->set_container(v1::OutputFormat::CONTAINER_FLAC);
  wanted.mutable_output_format()->set_sample_format(v1::SAMPLE_FORMAT_F32);
  const absl::Status status = Make(wanted).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(base::ReasonOf(status) == "UNSUPPORTED_OUTPUT");
  CHECK(status.message() ==
        "FLAC holds no floating-point samples; ask for S24, or for WAV or AIFF.");
}

TEST_CASE_METHOD(CanonicalTest, "numbers that the protocol does not have are refused") {
  using O = v1::OutputFormat;
  const auto refusal = [&](const auto& change) {
    v1::Separation wanted;
    change(wanted.mutable_output_format());
    const absl::Status status = Make(wanted).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(base::ReasonOf(status) == "UNSUPPORTED_OUTPUT");
    return std::string(status.message());
  };
  CHECK(refusal([](O* f) { f->set_container(static_cast<O::Container>(7)); }) ==
        "Outputs can be WAV, FLAC, AIFF, OGG_VORBIS, OGG_OPUS or MP3.");
  CHECK(refusal([](O* f) { f->set_sample_format(static_cast<v1::SampleFormat>(8)); }) ==
        "Samples of outputs can be SOURCE, S16, S24, S32 or F32.");
  CHECK(refusal([](O* f) { f->set_clip(static_cast<O::ClipPolicy>(4)); }) ==
        "The clip policy can be GAIN, CLAMP or NONE.");
  CHECK(refusal([](O* f) { f->set_dither(static_cast<O::Dither>(4)); }) ==
        "Dither can be AUTO, NONE or TPDF.");
}

TEST_CASE("the fingerprint's text is fixed: a change of it would change all ids") {
  v1::Separation canonical;
  canonical.add_stems("a");
  canonical.add_stems("b");
  (*canonical.mutable_mix()->mutable_gains())["b"] = 0.1;
  (*canonical.mutable_mix()->mutable_gains())["a"] = 1;
  canonical.mutable_output_format()->set_container(v1::OutputFormat::CONTAINER_WAV);
  canonical.mutable_output_format()->set_sample_format(v1::SAMPLE_FORMAT_F32);
  canonical.mutable_output_format()->set_clip(v1::OutputFormat::CLIP_POLICY_GAIN);
  CHECK(FingerprintText("me", "t", "m", canonical) ==
        "unbraid separation 2\nowner 2 me\ntrack t\nmodel m\nstems a,b\nmix a 1\n"
        "mix b 0.10000000000000001\ncontainer CONTAINER_WAV\nsamples SAMPLE_FORMAT_F32\n"
        "clip CLIP_POLICY_GAIN\ndither DITHER_UNSPECIFIED\nquality none\nbitrate 0\n");
  v1::OutputFormat mp3;
  mp3.set_container(v1::OutputFormat::CONTAINER_MP3);
  mp3.set_clip(v1::OutputFormat::CLIP_POLICY_CLAMP);
  mp3.set_quality(0.8);
  CHECK(FormatText(mp3) ==
        "container CONTAINER_MP3\nsamples SAMPLE_FORMAT_UNSPECIFIED\nclip CLIP_POLICY_CLAMP\n"
        "dither DITHER_UNSPECIFIED\nquality 0.80000000000000004\nbitrate 0\n");
}

TEST_CASE("page sizes and tokens are checked") {
  CHECK(*PageSize(0) == 50);
  CHECK(*PageSize(1000) == 1000);
  CHECK(base::ReasonOf(PageSize(1001).status()) == "INVALID_PAGE_SIZE");
  CHECK(base::ReasonOf(PageSize(-1).status()) == "INVALID_PAGE_SIZE");
  CHECK(*DecodePageToken(EncodePageToken(42)) == 42);
  CHECK(base::ReasonOf(DecodePageToken("nonsense").status()) == "INVALID_PAGE_TOKEN");
  CHECK(base::ReasonOf(DecodePageToken("42").status()) == "INVALID_PAGE_TOKEN");
}

TEST_CASE("durations are rounded to nanoseconds") {
  CHECK(ToDuration(44'100, 44'100).seconds() == 1);
  CHECK(ToDuration(1, 44'100).nanos() == 22'676);
  CHECK(ToDuration(191'999, 192'000).nanos() == 999'994'792);
}

TEST_CASE("Case 31: labels are any UTF-8 of up to 255 bytes") {
  CHECK(CheckDisplayName("04 絆ふぉーえばー.mp3").ok());
  CHECK(CheckDisplayName("../../x\nó ű").ok());
  CHECK(CheckDisplayName(std::string(255, 'x')).ok());
  CHECK(base::ReasonOf(CheckDisplayName(std::string(256, 'x'))) == "INVALID_NAME");
  for (const char* broken : {"\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    CHECK(base::ReasonOf(CheckDisplayName(broken)) == "INVALID_NAME");
  }
}

TEST_CASE_METHOD(CanonicalTest, "a poison chunk is named with its number and its place") {
  Job job = *Make({});
  job.prepared.model_frames = 10'000;
  internal::v1::ChunkTask task;
  task.set_separation_id(job.id.value());
  task.set_attempt(2);
  task.set_chunk_index(3);
  task.set_model("tiny");
  const auto failure = PoisonFailure(task, job);
  CHECK(failure.attempt() == 2);
  CHECK(failure.failure().reason() == "POISON_CHUNK");
  CHECK(failure.failure().message().find("Chunk 3 (from 0:00.061 to 0:00.083 of the track)") == 0);
  CHECK(PoisonFailure(task, std::nullopt).failure().message().find("Chunk 3 was") == 0);
}

}  // namespace
}  // namespace unbraid::splitter
