#pragma once
// System calls of Linux that the Glibc module of Swift leaves out, or that Swift cannot call because
// they are variadic or macros. Plain declarations without system headers: those would be seen twice.
#include <stddef.h>
#include <stdint.h>

/// One event with the number that was registered with the descriptor.
typedef struct {
    uint32_t events;
    uint64_t token;
} cl_event;

int cl_epoll_create(void);
/// Registers (1), removes (2) or changes (3) a descriptor; 0, or -1 with errno.
int cl_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token);
/// Waits for at most `capacity` (no more than 256) events.
int cl_epoll_wait(int epoll, cl_event *_Nonnull events, int capacity, int milliseconds);
int cl_eventfd(void);
/// Fills with entropy from the kernel; 0, or -1 with errno.
int cl_random(void *_Nonnull bytes, size_t count);
/// Accepts without blocking; `address` has room for `length` bytes.
int cl_accept(int listener, void *_Nonnull address, uint32_t *_Nonnull length);
/// The user and the process at the other end of a Unix socket; 0, or -1 with errno.
int cl_peer(int fd, uint32_t *_Nonnull uid, int32_t *_Nonnull pid);
int cl_set_nonblocking(int fd, int on);
/// Columns of the terminal, or 0 when the descriptor is none.
int cl_terminal_columns(int fd);
/// Rows of the terminal, or 0 when the descriptor is none.
int cl_terminal_rows(int fd);
/// Whether the processor and the system support AVX2 (always 1 on other architectures).
int cl_has_avx2(void);
const char *_Nonnull cl_error_text(int number);
void cl_name_thread(const char *_Nonnull name);
/// Sends this process the signal when the thread that started it ends; 0, or -1 with errno.
int cl_end_with_parent(int signal);
/// Freed memory is used again before it goes back to the system: up to 256 MiB at the end of each heap.
void cl_keep_freed_memory(void);
/// Gives free pages back to the system.
void cl_return_freed_memory(void);
/// Processors that this process may run on.
int cl_processor_count(void);
