import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { type ClusterIdentity, identityUri } from '@essaim/auth/identity';

export interface Owners {
  readonly workerIds: readonly string[];
  /** Where the servers listen. */
  readonly host: string;
}

/** What is left of a certificate's year when a new one is made: a cluster may stay up for long. */
const SPARE_MS = 90 * 86_400_000;

/**
 * Gives every process of a cluster a key and a certificate: `ca.pem` and for each name NAME.pem and NAME.key. Those of an earlier start
 * stay while they are good for the same names and host.
 */
export async function provideCertificates(folder: string, owners: Owners): Promise<void> {
  if (!areGood(folder, owners, new Date())) await mintCertificates(folder, owners);
}

/** Makes all of them new. The authority's own key stays in memory and is gone when this returns, so that nobody can join later. */
export async function mintCertificates(folder: string, { workerIds, host }: Owners): Promise<void> {
  // Loaded only here: most starts find certificates.
  const { createClusterAuthority, issueCertificate } = await import('@essaim/auth');
  const now = new Date();
  const authority = await createClusterAuthority({ now });
  writeFileSync(join(folder, 'ca.pem'), authority.certificatePem);
  for (const identity of identitiesOf(workerIds)) {
    const { certificatePem, privateKeyPem } = await issueCertificate(authority, { ...identity, now, hosts: [host] });
    const file = join(folder, fileName(identity));
    writeFileSync(`${file}.pem`, certificatePem);
    writeFileSync(`${file}.key`, privateKeyPem, { mode: 0o600 });
  }
}

function areGood(folder: string, { workerIds, host }: Owners, now: Date): boolean {
  try {
    const authority = new X509Certificate(readFileSync(join(folder, 'ca.pem')));
    return identitiesOf(workerIds).every((identity) => {
      const file = join(folder, fileName(identity));
      const certificate = new X509Certificate(readFileSync(`${file}.pem`));
      const names = certificate.subjectAltName?.split(', ') ?? [];
      return certificate.verify(authority.publicKey)
        && certificate.checkPrivateKey(createPrivateKey(readFileSync(`${file}.key`)))
        && certificate.validFromDate <= now && certificate.validToDate.getTime() - now.getTime() > SPARE_MS
        && names.includes(`URI:${identityUri(identity)}`) && (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
    });
  } catch {
    // Missing or damaged: then they are made new.
    return false;
  }
}

const identitiesOf = (workerIds: readonly string[]): ClusterIdentity[] => [
  { role: 'control-plane', name: 'control-plane' },
  { role: 'gateway', name: 'gateway' },
  ...workerIds.map((id): ClusterIdentity => ({ role: 'worker', name: id })),
];

const fileName = ({ role, name }: ClusterIdentity): string => (role === 'worker' ? `worker-${name}` : role);
