import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClusterAuthority, issueCertificate, type ClusterIdentity } from '@essaim/auth';

/**
 * Gives every process of one run a key and a certificate: `ca.pem` and for each name NAME.pem and NAME.key.
 * The authority's own key stays in memory and is gone when this returns, so that nobody can join later.
 */
export async function mintCertificates(folder: string, { workerIds, host }: { readonly workerIds: readonly string[]; readonly host: string }): Promise<void> {
  const now = new Date();
  const authority = await createClusterAuthority({ now });
  writeFileSync(join(folder, 'ca.pem'), authority.certificatePem);
  const identities: ClusterIdentity[] = [
    { role: 'control-plane', name: 'control-plane' },
    { role: 'gateway', name: 'gateway' },
    ...workerIds.map((id) => ({ role: 'worker' as const, name: id })),
  ];
  for (const identity of identities) {
    const { certificatePem, privateKeyPem } = await issueCertificate(authority, { ...identity, now, hosts: [host] });
    const file = join(folder, identity.role === 'worker' ? `worker-${identity.name}` : identity.role);
    writeFileSync(`${file}.pem`, certificatePem);
    writeFileSync(`${file}.key`, privateKeyPem, { mode: 0o600 });
  }
}
