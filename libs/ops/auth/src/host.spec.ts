import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certificateHost } from './host.ts';

describe('a host of a certificate', () => {
  it.each([
    ['node-1', { type: 'dns', value: 'node-1' }],
    ['worker_1.zone-a.example', { type: 'dns', value: 'worker_1.zone-a.example' }],
    ['10.0.0.255', { type: 'ip', value: '10.0.0.255' }],
    ['::1', { type: 'ip', value: '::1' }],
    ['2001:DB8::0001', { type: 'ip', value: '2001:db8::1' }],
    ['::ffff:1.2.3.4', { type: 'ip', value: '::ffff:102:304' }],
  ])('may be %s', (host, expected) => expect(certificateHost(host)).toEqual(expected));

  it.each(['', '.', 'a..b', 'a.', 'node-1:8090', '127.0.0.1:8090', '[::1]', '999.1.1.1', '1.2.3', '1.2.3.4.', '010.0.0.1', '1:2', ':::', '::1]/x[', 'fe80::1%eth0', 'a b', 'a,DNS:b', 'a\n', '*.example', 'é.example', `${'a'.repeat(64)}.example`, 'a.'.repeat(127).concat('aa')])('is never %j', (host) => {
    expect(() => certificateHost(host)).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(`"${host}"`) as string }));
  });

  it('may be any IPv4 and any IPv6 address', () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => certificateHost(address).type === 'ip'));
  });
});
