import { type ChannelOptions, type Server } from '@grpc/grpc-js';
import { type Http2Server, type ServerHttp2Session } from 'node:http2';
import { assert, LIMITS } from '@essaim/core';

/** HTTP/2's 64 KiB would cost a round trip per 64 KiB of activations; measured: half the latency at 512 KiB. */
const FLOW_CONTROL_WINDOW_BYTES = 8 << 20;

/** Between components: finds a dead peer within ten seconds even when no call runs; calls have shorter deadlines of their own. */
const COMMON: ChannelOptions = {
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.max_send_message_length': LIMITS.frameBytes,
};

export const CLIENT_OPTIONS: ChannelOptions = {
  ...COMMON,
  'grpc.max_receive_message_length': LIMITS.frameBytes,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
  // Who retries is decided above, once, where it is known what may run twice.
  'grpc.enable_retries': 0,
  // Between attempts to connect, calls fail at once.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // Options come from here, never from TXT records of a name.
  'grpc.service_config_disable_resolution': 1,
  // One connection per client object: closing it closes the connection.
  'grpc.use_local_subchannel_pool': 1,
  // A proxy in the environment is for the outside world.
  'grpc.enable_http_proxy': 0,
};

export const serverOptions = (receiveBytes: number): ChannelOptions => ({ ...COMMON, 'grpc.max_receive_message_length': receiveBytes });

/**
 * Gives a bound server the same flow-control window as its clients. grpc-js 1.14 reads `grpc-node.flow_control_window` in clients
 * only, and keeps the HTTP/2 servers, whose own API can do it, in a private map.
 */
export function widenServerWindows(server: Server): void {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  assert(http2Servers instanceof Map && http2Servers.size > 0, 'grpc-js keeps its HTTP/2 servers in http2Servers');
  for (const http2Server of http2Servers.keys()) {
    http2Server.updateSettings({ initialWindowSize: FLOW_CONTROL_WINDOW_BYTES });
    http2Server.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(FLOW_CONTROL_WINDOW_BYTES));
  }
}
