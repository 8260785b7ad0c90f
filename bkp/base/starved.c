/* starved: see starved.h. */
#include "base/starved.h"

_Thread_local unsigned long starved_calls;
atomic_ulong starved_calls_of_all;
