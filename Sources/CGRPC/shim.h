#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/status.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <string.h>

// What Swift cannot say of the C core's API: its macros, and structs whose fields the core writes
// later, through pointers that must stay where they are until the completion event.

static inline const uint8_t *galleonfs_slice_start(const grpc_slice *slice) {
  return GRPC_SLICE_START_PTR(*slice);
}

static inline size_t galleonfs_slice_length(const grpc_slice *slice) {
  return GRPC_SLICE_LENGTH(*slice);
}

// What one batch of operations gives and takes. Zeros are a valid, empty value.
typedef struct galleonfs_batch {
  grpc_op operations[6];
  size_t operation_count;
  grpc_metadata_array received_initial_metadata;
  grpc_metadata_array received_trailing_metadata;
  grpc_byte_buffer *sent_message;
  grpc_byte_buffer *received_message;
  grpc_status_code status;
  grpc_slice status_message;
  int cancelled;
} galleonfs_batch;

static inline grpc_op *galleonfs_batch_add(galleonfs_batch *batch, grpc_op_type type) {
  grpc_op *operation = &batch->operations[batch->operation_count++];
  memset(operation, 0, sizeof *operation);
  operation->op = type;
  return operation;
}

static inline void galleonfs_batch_send_initial_metadata(
    galleonfs_batch *batch, grpc_metadata *metadata, size_t count, uint32_t flags) {
  grpc_op *operation = galleonfs_batch_add(batch, GRPC_OP_SEND_INITIAL_METADATA);
  operation->flags = flags;
  operation->data.send_initial_metadata.metadata = metadata;
  operation->data.send_initial_metadata.count = count;
}

// Takes ownership of the buffer.
static inline void galleonfs_batch_send_message(galleonfs_batch *batch, grpc_byte_buffer *message) {
  batch->sent_message = message;
  galleonfs_batch_add(batch, GRPC_OP_SEND_MESSAGE)->data.send_message.send_message = message;
}

static inline void galleonfs_batch_send_close(galleonfs_batch *batch) {
  galleonfs_batch_add(batch, GRPC_OP_SEND_CLOSE_FROM_CLIENT);
}

// Takes ownership of the slice.
static inline void galleonfs_batch_send_status(
    galleonfs_batch *batch, grpc_status_code code, grpc_slice message, grpc_metadata *metadata,
    size_t count) {
  batch->status_message = message;
  grpc_op *operation = galleonfs_batch_add(batch, GRPC_OP_SEND_STATUS_FROM_SERVER);
  operation->data.send_status_from_server.status = code;
  operation->data.send_status_from_server.status_details = &batch->status_message;
  operation->data.send_status_from_server.trailing_metadata = metadata;
  operation->data.send_status_from_server.trailing_metadata_count = count;
}

static inline void galleonfs_batch_receive_initial_metadata(galleonfs_batch *batch) {
  galleonfs_batch_add(batch, GRPC_OP_RECV_INITIAL_METADATA)
      ->data.recv_initial_metadata.recv_initial_metadata = &batch->received_initial_metadata;
}

static inline void galleonfs_batch_receive_message(galleonfs_batch *batch) {
  galleonfs_batch_add(batch, GRPC_OP_RECV_MESSAGE)->data.recv_message.recv_message =
      &batch->received_message;
}

static inline void galleonfs_batch_receive_status(galleonfs_batch *batch) {
  grpc_op *operation = galleonfs_batch_add(batch, GRPC_OP_RECV_STATUS_ON_CLIENT);
  operation->data.recv_status_on_client.status = &batch->status;
  operation->data.recv_status_on_client.status_details = &batch->status_message;
  operation->data.recv_status_on_client.trailing_metadata = &batch->received_trailing_metadata;
}

static inline void galleonfs_batch_receive_close(galleonfs_batch *batch) {
  galleonfs_batch_add(batch, GRPC_OP_RECV_CLOSE_ON_SERVER)->data.recv_close_on_server.cancelled =
      &batch->cancelled;
}

static inline grpc_call_error galleonfs_batch_start(
    galleonfs_batch *batch, grpc_call *call, void *tag) {
  return grpc_call_start_batch(call, batch->operations, batch->operation_count, tag, NULL);
}

static inline void galleonfs_batch_destroy(galleonfs_batch *batch) {
  grpc_metadata_array_destroy(&batch->received_initial_metadata);
  grpc_metadata_array_destroy(&batch->received_trailing_metadata);
  if (batch->sent_message) grpc_byte_buffer_destroy(batch->sent_message);
  if (batch->received_message) grpc_byte_buffer_destroy(batch->received_message);
  grpc_slice_unref(batch->status_message);
}

// A place for one call that the server has yet to receive.
typedef struct galleonfs_call_request {
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array metadata;
} galleonfs_call_request;

static inline void galleonfs_call_request_init(galleonfs_call_request *request) {
  request->call = NULL;
  grpc_call_details_init(&request->details);
  grpc_metadata_array_init(&request->metadata);
}

static inline void galleonfs_call_request_destroy(galleonfs_call_request *request) {
  grpc_call_details_destroy(&request->details);
  grpc_metadata_array_destroy(&request->metadata);
}

static inline grpc_call_error galleonfs_call_request_start(
    galleonfs_call_request *request, grpc_server *server, grpc_completion_queue *queue, void *tag) {
  return grpc_server_request_call(
      server, &request->call, &request->details, &request->metadata, queue, queue, tag);
}
