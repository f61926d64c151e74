#ifndef UNBRAID_SERVICES_WORKER_CPU_LIMIT_H_
#define UNBRAID_SERVICES_WORKER_CPU_LIMIT_H_

#include <optional>
#include <string>

namespace unbraid::worker {

// How many CPUs the control group of this process may use, in CPUs (1.5 is one and a half); nothing
// when there is no limit. Knows cgroup v2 (cpu.max), v1 (CFS quota) and systems that mount both; a
// limit of a parent group counts too. `root` stands before /proc and /sys; it is empty except in
// tests.
std::optional<double> CgroupCpuLimit(const std::string& root);

// How many CPUs the process may be scheduled on, or 1 when the system does not say.
int SchedulableCpus();

// The number of threads that neither wait for each other's turn nor are throttled: the lesser of
// the two, rounded down because a thread that runs half of the time holds up all the others, and at
// least 1. The host's number of CPUs plays no part.
int ThreadsWithin(std::optional<double> cgroup_limit, int schedulable);

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_CPU_LIMIT_H_
