import { isIPv6 } from 'node:net';
import { type Ports } from './options.ts';

/** Where a person on this machine reaches the cluster. */
export interface Addresses {
  readonly http: string;
  /** host:port */
  readonly grpc: string;
  readonly admin: string;
  /** host:port */
  readonly control: string;
}

/** From the host that is listened on and the ports that were really given. */
export function addressesOf(host: string, ports: Ports): Addresses {
  const at = (port: number): string => hostAndPort(host, port);
  return { http: `http://${at(ports.http)}`, grpc: at(ports.grpc), admin: `http://${at(ports.admin)}`, control: at(ports.control) };
}

function hostAndPort(host: string, port: number): string {
  const everywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host];
  const reachable = everywhere ?? host;
  return isIPv6(reachable) ? `[${reachable}]:${port}` : `${reachable}:${port}`;
}
