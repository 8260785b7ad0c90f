/* unit: cmocka, with the headers that it needs before it. */
#ifndef BKP_TESTS_UNIT_H
#define BKP_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
