/*
 * Network devices of the host that a container gets (linux.netDevices): moved by netlink into the network namespace of
 * the child, with their permanent addresses, and set up there. All by the monitor, in the host.
 */
#ifndef OCI_NET_DEVICE_H
#define OCI_NET_DEVICE_H

#include "report.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define INDEX_TRIES 256
#define ADDRESS_LIMIT (32 << 10)

/* One request: a netlink header, what the kind of request starts with, and attributes. */
struct net_request {
  struct nlmsghdr header;
  u8 bytes[1024];
};

static u8 addresses[ADDRESS_LIMIT] __attribute__((aligned(8))); /* RTM_NEWADDR messages of the device that moves */
static usize addresses_used = 0;

static void begin_request(struct net_request *request, u32 type, u32 flags, const void *body, usize length) {
  memset(request, 0, sizeof *request);
  request->header = (struct nlmsghdr){.nlmsg_type = (__u16)type, .nlmsg_flags = (__u16)(NLM_F_REQUEST | flags)};
  memcpy(request->bytes, body, length);
  request->header.nlmsg_len = (u32)(sizeof request->header + padded(length));
}

static long add_attribute(struct net_request *request, u32 type, const void *value, usize length) {
  struct rtattr attribute = {(unsigned short)(sizeof attribute + length), (unsigned short)type};
  usize used = request->header.nlmsg_len;
  if (used + sizeof attribute + padded(length) > sizeof *request) return -E2BIG;
  memcpy((u8 *)request + used, &attribute, sizeof attribute);
  memcpy((u8 *)request + used + sizeof attribute, value, length);
  request->header.nlmsg_len = (u32)(used + sizeof attribute + padded(length));
  return 0;
}

/* The answer to a request that has none but success or failure. */
static long ask_kernel(i32 socket, struct net_request *request) {
  struct {
    struct nlmsghdr header;
    i32 error;
    u8 rest[1280];
  } answer;
  request->header.nlmsg_flags |= NLM_F_ACK;
  long result = CALL(sendto, socket, request, request->header.nlmsg_len, 0, NULL, 0);
  if (result >= 0) result = CALL(recvfrom, socket, &answer, sizeof answer, 0, NULL, NULL);
  if (result < 0) return result;
  return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error : -EPROTO;
}

static long keep_address(const struct nlmsghdr *message, i32 index) {
  const struct ifaddrmsg *address = (const struct ifaddrmsg *)(const void *)(message + 1);
  if (message->nlmsg_type != RTM_NEWADDR || (i32)address->ifa_index != index) return 0;
  if (address->ifa_scope != RT_SCOPE_UNIVERSE || (address->ifa_flags & IFA_F_PERMANENT) == 0) return 0;
  usize length = padded(message->nlmsg_len);
  if (addresses_used + length > sizeof addresses) return -E2BIG;
  memcpy(addresses + addresses_used, message, message->nlmsg_len);
  addresses_used += length;
  return 0;
}

/* The kernel takes a device's addresses away when it moves. */
static long read_addresses(i32 socket, i32 index) {
  static u8 chunk[16 << 10] __attribute__((aligned(8)));
  struct net_request request;
  struct ifaddrmsg body = {.ifa_family = 0};
  addresses_used = 0;
  begin_request(&request, RTM_GETADDR, NLM_F_DUMP, &body, sizeof body);
  long result = CALL(sendto, socket, &request, request.header.nlmsg_len, 0, NULL, 0);
  while (result >= 0) {
    long length = CALL(recvfrom, socket, chunk, sizeof chunk, 0, NULL, NULL);
    if (length < 0) return length;
    for (usize at = 0; at + sizeof(struct nlmsghdr) <= (usize)length;) {
      const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)(chunk + at);
      if (message->nlmsg_len < sizeof *message || message->nlmsg_len > (usize)length - at) return -EPROTO;
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) return -EPROTO;
      result = keep_address(message, index);
      if (result < 0) return result;
      at += padded(message->nlmsg_len);
    }
  }
  return result;
}

/* Its number must be free in the new namespace too; the first free one from its own on is taken. */
static long move_device(i32 socket, i32 *index, i32 namespace, const char *name) {
  struct ifinfomsg body = {.ifi_index = *index};
  long result = -EBUSY;
  for (i32 wanted = *index; wanted < *index + INDEX_TRIES && result == -EBUSY; wanted++) {
    struct net_request request;
    begin_request(&request, RTM_NEWLINK, 0, &body, sizeof body);
    add_attribute(&request, IFLA_NET_NS_FD, &namespace, sizeof namespace);
    add_attribute(&request, IFLA_NEW_IFINDEX, &wanted, sizeof wanted);
    add_attribute(&request, IFLA_IFNAME, name, text_length(name) + 1);
    result = ask_kernel(socket, &request);
    if (result >= 0) {
      *index = wanted;
      return 0;
    }
  }
  return result;
}

static long restore_address(i32 socket, const struct nlmsghdr *message, i32 index) {
  struct net_request request;
  struct ifaddrmsg body;
  memcpy(&body, message + 1, sizeof body);
  body.ifa_index = (u32)index;
  begin_request(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
  const u8 *at = (const u8 *)(message + 1) + padded(sizeof body), *end = (const u8 *)message + message->nlmsg_len;
  while (at + sizeof(struct rtattr) <= end) {
    const struct rtattr *attribute = (const struct rtattr *)(const void *)at;
    if (attribute->rta_len < sizeof *attribute || attribute->rta_len > (usize)(end - at)) return -EPROTO;
    /* A label starts with the old name; the cache information is the kernel's own. */
    if (attribute->rta_type != IFA_LABEL && attribute->rta_type != IFA_CACHEINFO) {
      long result = add_attribute(&request, attribute->rta_type, attribute + 1, attribute->rta_len - sizeof *attribute);
      if (result < 0) return result;
    }
    at += padded(attribute->rta_len);
  }
  return ask_kernel(socket, &request);
}

static long set_up(i32 socket, i32 index) {
  struct net_request request;
  struct ifinfomsg body = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  begin_request(&request, RTM_NEWLINK, 0, &body, sizeof body);
  return ask_kernel(socket, &request);
}

static long open_route_socket(void) {
  return CALL(socket, AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_ROUTE);
}

/* A socket belongs to the namespace in which it was made, whichever its owner is in later. */
static long open_route_socket_in(i32 namespace) {
  long own = CALL(openat, proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0) return own;
  long result = CALL(setns, namespace, CLONE_NEWNET);
  long socket = result < 0 ? result : open_route_socket();
  if (result >= 0) result = CALL(setns, own, CLONE_NEWNET);
  CALL(close, own);
  return result < 0 ? result : socket;
}

static long device_index(i32 socket, const char *name) {
  struct interface_index request = {.index = 0};
  append(request.name, sizeof request.name, 0, name);
  long result = CALL(ioctl, socket, SIOCGIFINDEX, &request);
  return result < 0 ? result : request.index;
}

static long step_net_device(const struct step *step) {
  char path[64];
  append(path, sizeof path, append_number(path, sizeof path, 0, (u64)child), "/ns/net");
  const char *name = text_field(step, FIELD_VALUE);
  long namespace = CALL(openat, proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (namespace < 0) return namespace;
  long here = open_route_socket(), there = open_route_socket_in((i32)namespace);
  long result = here < 0 ? here : there < 0 ? there : 0;
  if (result >= 0) result = device_index((i32)here, text_field(step, FIELD_TEXT));
  i32 number = (i32)result;
  if (result >= 0) result = read_addresses((i32)here, number);
  /* Asked first: the kernel gives a moved device its name last, and leaves it there when that fails. */
  if (result >= 0 && device_index((i32)there, name) >= 0) result = -EEXIST;
  if (result >= 0) result = move_device((i32)here, &number, (i32)namespace, name);
  for (usize at = 0; result >= 0 && at < addresses_used;) {
    const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)(addresses + at);
    result = restore_address((i32)there, message, number);
    at += padded(message->nlmsg_len);
  }
  if (result >= 0) result = set_up((i32)there, number);
  if (here >= 0) CALL(close, here);
  if (there >= 0) CALL(close, there);
  CALL(close, namespace);
  return result;
}

#endif
