#ifndef UNBRAID_SERVICES_COMMON_BASE_MEMORY_H_
#define UNBRAID_SERVICES_COMMON_BASE_MEMORY_H_

namespace unbraid::base {

// Has the C library keep freed blocks of some megabytes for the next ones, up to a bound for each
// of its arenas, instead of giving them back to the system: messages of that size come all the
// time, and a page that was given back costs a page fault, and is zeroed, when it is used again.
// Call it first in main(). Nothing where the C library is another.
void KeepLargeBlocks();

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_MEMORY_H_
