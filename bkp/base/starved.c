/* starved: see starved.h. */
#include "base/starved.h"

_Thread_local unsigned long starved_calls;
