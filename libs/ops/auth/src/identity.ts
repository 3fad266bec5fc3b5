/** Who a component of the cluster is. A certificate says it as a SPIFFE id in its subject alternative name. */
export const CLUSTER_ROLES = ['control-plane', 'gateway', 'worker'] as const;
export type ClusterRole = (typeof CLUSTER_ROLES)[number];

export interface ClusterIdentity {
  readonly role: ClusterRole;
  /** Letters, digits, '.', '_' and '-', at most 64: a worker's id, for example. */
  readonly name: string;
}

const NAME = '[A-Za-z0-9._-]{1,64}';
const IDENTITY_URI = new RegExp(`^URI:spiffe://essaim/(${CLUSTER_ROLES.join('|')})/(${NAME})$`);

export const isIdentityName = (name: string): boolean => new RegExp(`^${NAME}$`).test(name);

export const identityUri = ({ role, name }: ClusterIdentity): string => `spiffe://essaim/${role}/${name}`;

/**
 * The identity in a certificate's subject alternative name, as Node prints it ("URI:spiffe://..., DNS:localhost, ...").
 * Null where there is none, more than one, or where Node had to quote a name: quoted text could imitate an entry.
 */
export function identityFromSubjectAltName(subjectAltName: string): ClusterIdentity | null {
  if (subjectAltName.includes('"')) return null;
  const uris = subjectAltName.split(', ').filter((entry) => entry.startsWith('URI:'));
  const match = uris.length === 1 ? IDENTITY_URI.exec(uris[0]!) : null;
  return match === null ? null : { role: match[1] as ClusterRole, name: match[2]! };
}
