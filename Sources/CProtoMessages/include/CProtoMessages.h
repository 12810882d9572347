// The generated messages, seen through their descriptors: nothing else of them is needed.
#ifndef GALLEONFS_CPROTOMESSAGES_H
#define GALLEONFS_CPROTOMESSAGES_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

// How many messages there are, entries of maps not counted.
size_t galleonfs_message_count(void);

// Descriptor of a message by its place in the order of full names; NULL past the end.
const ProtobufCMessageDescriptor *galleonfs_message_descriptor(size_t index);

// A serialized google.protobuf.FileDescriptorSet of all files and what they import.
const unsigned char *galleonfs_file_descriptor_set(size_t *byte_count);

#endif
