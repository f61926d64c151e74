#ifndef UNBRAID_SERVICES_COMMON_BASE_FILE_LIMIT_H_
#define UNBRAID_SERVICES_COMMON_BASE_FILE_LIMIT_H_

namespace unbraid::base {

// Lets the process have as many files and connections open as it is allowed to, 65,536 at most. The
// usual limit of 1,024 is there for the sake of select(), which nothing here calls.
void RaiseFileLimit();

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_FILE_LIMIT_H_
