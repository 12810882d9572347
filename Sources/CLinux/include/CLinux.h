// Shims over system calls that Swift cannot import: variadic functions and macros.
// Each returns what the call returns, with errno set, unless said otherwise.
#ifndef GALLEONFS_CLINUX_H
#define GALLEONFS_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CLinuxProcess.h"

// Loop devices (linux/loop.h). `loop` and `control` are open descriptors.
int clinux_loop_get_free(int control);
int clinux_loop_configure(
    int loop, int backing, uint32_t block_byte_count, int is_read_only, int is_direct,
    const char *name);
int clinux_loop_set_capacity(int loop);
int clinux_loop_clear(int loop);
// Fills what the device says of itself; 0 on success.
int clinux_loop_status(int loop, int *is_read_only, int *is_direct);
// Size of a block device in bytes; 0 on success.
int clinux_block_device_byte_count(int device, uint64_t *byte_count);

// Sends `count` bytes as one packet, with a descriptor unless it is negative.
ssize_t clinux_send_packet(int socket, const void *bytes, size_t count, int descriptor);
// Receives one packet; *descriptor is -1 if none came, *is_truncated 1 if bytes did not fit.
ssize_t clinux_receive_packet(
    int socket, void *bytes, size_t count, int *descriptor, int *is_truncated);
// accept4 with close-on-exec.
int clinux_accept(int socket);
// User of the process at the other end of a Unix socket; 0 on success.
int clinux_peer_user(int socket, uid_t *user);

// Sets or clears the immutable attribute of an open file or directory.
int clinux_set_immutable(int descriptor, int is_immutable);

// syncfs(2), which glibc declares only under _GNU_SOURCE.
int clinux_sync_file_system(int descriptor);

#endif
