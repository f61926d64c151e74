#ifndef UNBRAID_TESTS_SUPPORT_FORGETFUL_DISK_H_
#define UNBRAID_TESTS_SUPPORT_FORGETFUL_DISK_H_

#include <string>

namespace unbraid::test_support {

// A disk that forgets what was not synced, so that a test can cut the power.
//
// A process that is linked with forgetful_hooks.cc, or has it loaded with LD_PRELOAD
// (libunbraid_forgetful.so), keeps a second copy of what it syncs below the folder that
// UNBRAID_FORGETFUL_FOLDER names, in the folder that UNBRAID_FORGETFUL_DISK names. Both are
// absolute, without links. Only fsync and fdatasync are followed, since nothing else makes anything
// durable here. The real calls are left out: they would only cost time.
//
// The model:
//   * a file's content is that of its last fsync or fdatasync; without any it is empty;
//   * a folder's entries (created, renamed, removed) are those of its last fsync; without any
//     there are none. To sync a file does not sync its name, nor does it sync its folder's own
//     name;
//   * which file an entry means does not change with names: files and folders are told apart by
//     inode and time of birth, since inodes are used again. Two with the same inode that are born
//     within one tick of the kernel's clock (some milliseconds) are taken for one.
// That is the worst that a disk may do by POSIX, and worse than ext4 or XFS do, but for this: what
// was not synced is always lost and never there in part, so torn writes and writes in another order
// do not occur. Owners, modes, times and links are not kept. What was written through mmap counts
// as written; nobody here relies on msync, sync_file_range, syncfs or O_SYNC.
//
// Whatever goes wrong in here ends the process: a test must not go on with a wrong disk.

// Keeps the file or folder behind `descriptor` as it is now. Threads take turns.
void RememberSynced(int descriptor, const std::string& disk);

// Writes what a power cut would leave of `folder` to the new folder `target`.
void CopyAsPowerCut(const std::string& folder, const std::string& disk, const std::string& target);

// Leaves of `folder` what a power cut would leave; all that stays is durable. The folder itself is,
// whatever its parent says. Nobody may use it meanwhile.
void CutPower(const std::string& folder, const std::string& disk);

}  // namespace unbraid::test_support

#endif  // UNBRAID_TESTS_SUPPORT_FORGETFUL_DISK_H_
