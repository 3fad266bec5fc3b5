import { ChannelCredentials, type ServerCredentials as Credentials, ServerCredentials } from '@grpc/grpc-js';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { isIP } from 'node:net';
import { AppError } from '@essaim/core';
import { type ClusterIdentity, type ClusterRole, identityFromSubjectAltName } from '@essaim/auth/identity';

/** PEM texts. The same certificate serves and calls. */
export interface TlsMaterial {
  /** The cluster's authority: who it did not sign is nobody. */
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** How components of one cluster trust each other. Without certificates there are no roles, so only loopback addresses are allowed. */
export type PeerSecurity = TlsMaterial | 'insecure-loopback';

/** Server side between components: callers without a certificate of the cluster's authority never get past the handshake. */
export function peerServerCredentials(security: PeerSecurity, host: string): Credentials {
  if (security === 'insecure-loopback') {
    requireLoopback(host);
    return ServerCredentials.createInsecure();
  }
  return ServerCredentials.createSsl(Buffer.from(security.caPem), [keyPair(security)], true);
}

export const keyPair = ({ privateKeyPem, certificatePem }: Omit<TlsMaterial, 'caPem'>): { private_key: Buffer; cert_chain: Buffer } => ({
  private_key: Buffer.from(privateKeyPem),
  cert_chain: Buffer.from(certificatePem),
});

/** Client side between components: the server must hold a certificate of the same authority, for its host and for the role expected of it. */
export function peerChannelCredentials(security: PeerSecurity, { address, role }: { address: string; role: ClusterRole }): ChannelCredentials {
  if (security === 'insecure-loopback') {
    requireLoopback(hostOf(address));
    return ChannelCredentials.createInsecure();
  }
  const { private_key, cert_chain } = keyPair(security);
  return ChannelCredentials.createSsl(Buffer.from(security.caPem), private_key, cert_chain, {
    checkServerIdentity: (host, certificate) => checkServerIdentity(host, certificate) ?? wrongRole(certificate, role),
  });
}

function wrongRole(certificate: PeerCertificate, role: ClusterRole): Error | undefined {
  return peerIdentity(certificate)?.role === role ? undefined : new Error(`the server's certificate is not of role ${role}`);
}

export const peerIdentity = (certificate: PeerCertificate | undefined): ClusterIdentity | null =>
  certificate?.subjectaltname === undefined ? null : identityFromSubjectAltName(certificate.subjectaltname);

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');

function requireLoopback(host: string): void {
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (!isLoopback) throw new AppError('failed_precondition', `connections without certificates are for loopback only, not for ${host}: give certificates`);
}
