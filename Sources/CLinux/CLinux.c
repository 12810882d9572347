#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int clinux_loop_get_free(int control) { return ioctl(control, LOOP_CTL_GET_FREE); }

int clinux_loop_configure(
    int loop, int backing, uint32_t block_byte_count, int is_read_only, int is_direct,
    const char *name) {
  struct loop_config configuration;
  memset(&configuration, 0, sizeof configuration);
  configuration.fd = (uint32_t)backing;
  configuration.block_size = block_byte_count;
  configuration.info.lo_flags =
      (is_read_only ? LO_FLAGS_READ_ONLY : 0) | (is_direct ? LO_FLAGS_DIRECT_IO : 0);
  strncpy((char *)configuration.info.lo_file_name, name, LO_NAME_SIZE - 1);
  return ioctl(loop, LOOP_CONFIGURE, &configuration);
}

int clinux_loop_set_capacity(int loop) { return ioctl(loop, LOOP_SET_CAPACITY, 0); }

int clinux_loop_clear(int loop) { return ioctl(loop, LOOP_CLR_FD, 0); }

int clinux_loop_status(int loop, int *is_read_only, int *is_direct) {
  struct loop_info64 info;
  if (ioctl(loop, LOOP_GET_STATUS64, &info) != 0) return -1;
  *is_read_only = (info.lo_flags & LO_FLAGS_READ_ONLY) != 0;
  *is_direct = (info.lo_flags & LO_FLAGS_DIRECT_IO) != 0;
  return 0;
}

int clinux_block_device_byte_count(int device, uint64_t *byte_count) {
  return ioctl(device, BLKGETSIZE64, byte_count);
}

ssize_t clinux_send_packet(int socket, const void *bytes, size_t count, int descriptor) {
  struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr head;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (descriptor >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t clinux_receive_packet(
    int socket, void *bytes, size_t count, int *descriptor, int *is_truncated) {
  struct iovec vector = {.iov_base = bytes, .iov_len = count};
  union {
    struct cmsghdr head;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {
      .msg_iov = &vector,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control.space};
  *descriptor = -1;
  ssize_t result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (result < 0) return result;
  *is_truncated = (message.msg_flags & MSG_TRUNC) != 0;
  for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head))
    if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
      memcpy(descriptor, CMSG_DATA(head), sizeof *descriptor);
  return result;
}

int clinux_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC); }

int clinux_peer_user(int socket, uid_t *user) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
  *user = peer.uid;
  return 0;
}

int clinux_set_immutable(int descriptor, int is_immutable) {
  int flags = 0;
  if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) != 0) return -1;
  int wanted = is_immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  return wanted == flags ? 0 : ioctl(descriptor, FS_IOC_SETFLAGS, &wanted);
}

int clinux_sync_file_system(int descriptor) { return syncfs(descriptor); }
