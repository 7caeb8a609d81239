/* The floor that `make bench` compares single events with: a FastCGI responder behind the
 * same nginx that reads the body and answers at once, without a database.
 *
 *   echo SOCKET_PATH */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 48 };    /* above nginx's kept-alive connections */

static void *serve(void *argument)
{
    static const char answer[] = "{\"accepted\":1,\"duplicates\":0,\"updated\":0,\"rejected\":0}\n";
    FCGX_Request request;
    char body[65536];

    FCGX_InitRequest(&request, *(int *)argument, 0);
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(body, sizeof body, request.in) == (int)sizeof body)
            continue;
        FCGX_FPrintF(request.out, "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     (int)sizeof answer - 1, answer);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    if (argc != 2 || FCGX_Init() != 0)
        return 2;
    int listener = FCGX_OpenSocket(argv[1], 1024);
    if (listener < 0)
        return 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, serve, &listener) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
