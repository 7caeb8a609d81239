/* Functions that nobody here may call: naming one is a compile error. Included before
 * everything else by the compiler's -include. It answers for no rule of taste, only
 * for calls that are unsafe (no bounds, hidden state shared between threads), that have a
 * bounded or typed replacement in base/, or that hide where memory comes from.
 *
 * A poisoned name may not appear afterwards, not even in a system header's declaration:
 * so the headers that declare them, and those of the libraries, come first. */
#ifndef TIDEMARK_BASE_BANNED_H
#define TIDEMARK_BASE_BANNED_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#if defined(__x86_64__)
#include <mm_malloc.h>
#endif

/* Some headers make macros of these. */
#undef alloca
#undef asprintf
#undef sprintf
#undef vasprintf
#undef vsprintf

/* No bounds: buf_add, buf_printf, snprintf, memcpy with a known length. */
#pragma GCC poison strcpy strcat stpcpy sprintf vsprintf gets strncpy strncat wcscpy wcscat
/* Hidden state or no word on errors: str_cut, str_to_int64, clock_split, crypto_random. */
#pragma GCC poison strtok atoi atol atoll atof gmtime localtime ctime asctime
/* Not poisoned: OpenSSL's headers have parameters of this name. A call does not compile either. */
extern int rand(void) __attribute__((deprecated("banned: use crypto_random")));
/* Decimal points would change under numbers being read and written. */
#pragma GCC poison setlocale uselocale
/* A shell between us and what we meant: execve with a list. */
#pragma GCC poison system popen

/* Memory comes from an arena; only base/ itself asks the system for it. */
#ifndef TIDEMARK_BASE
#pragma GCC poison malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf alloca
#endif

#endif
