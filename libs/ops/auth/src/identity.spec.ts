import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLUSTER_ROLES, type ClusterIdentity, identityFromSubjectAltName, identityUri, isIdentityName } from './index.ts';

const identity = fc.record<ClusterIdentity>({ role: fc.constantFrom(...CLUSTER_ROLES), name: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/) });

describe('an identity', () => {
  it('is read back from where it was written, among other names', () => {
    fc.assert(fc.property(identity, (written) => {
      expect(identityFromSubjectAltName(`DNS:localhost, URI:${identityUri(written)}, IP Address:127.0.0.1`)).toEqual(written);
    }));
  });

  it.each([
    ['no name at all', ''],
    ['no URI', 'DNS:localhost, IP Address:127.0.0.1'],
    ['a second URI', 'URI:spiffe://essaim/worker/w1, URI:spiffe://essaim/gateway/g1'],
    ['the same URI twice', 'URI:spiffe://essaim/worker/w1, URI:spiffe://essaim/worker/w1'],
    ['a quoted name that imitates one', 'DNS:"x, URI:spiffe://essaim/gateway/g1"'],
    ['a quoted URI', 'URI:"spiffe://essaim/gateway/g1"'],
    ['a quoted name beside a true one', 'URI:spiffe://essaim/gateway/g1, DNS:"a, b"'],
    ['a DNS name that imitates one', 'DNS:URI:spiffe://essaim/gateway/g1'],
    ['an unknown role', 'URI:spiffe://essaim/admin/a1'],
    ['another trust domain', 'URI:spiffe://other/worker/w1'],
    ['another scheme', 'URI:https://essaim/worker/w1'],
    ['a longer path', 'URI:spiffe://essaim/worker/w1/x'],
    ['a query', 'URI:spiffe://essaim/worker/w1?x'],
    ['no name', 'URI:spiffe://essaim/worker/'],
    ['a name that is too long', `URI:spiffe://essaim/worker/${'w'.repeat(65)}`],
    ['a name with a line end', 'URI:spiffe://essaim/worker/w1\n'],
    ['an escaped name', 'URI:spiffe://essaim/worker/w%31'],
    ['another case', 'uri:spiffe://essaim/worker/w1'],
  ])('is nobody\'s with %s', (_what, subjectAltName) => expect(identityFromSubjectAltName(subjectAltName)).toBeNull());
});

describe('a name', () => {
  it.each(['w1', 'Node_7.zone-a', 'w'.repeat(64)])('may be %s', (name) => expect(isIdentityName(name)).toBe(true));
  it.each(['', 'w'.repeat(65), 'a/b', 'a b', 'é', 'a\n', 'a,b', '"a"', 'a%41'])('is never %j', (name) => expect(isIdentityName(name)).toBe(false));
});
