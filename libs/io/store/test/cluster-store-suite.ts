import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterStore } from '@essaim/membership';

/** What every adapter of the port must keep. `open` gives a new handle on the same, at first empty, store each time. */
export function clusterStoreSuite(name: string, freshStore: () => () => ClusterStore | Promise<ClusterStore>): void {
  describe(`${name} as a cluster store`, () => {
    const handles: ClusterStore[] = [];
    afterEach(async () => {
      for (const handle of handles.splice(0)) await handle.close();
    });

    const opener = (): (() => Promise<ClusterStore>) => {
      const open = freshStore();
      return async () => {
        const handle = await open();
        handles.push(handle);
        return handle;
      };
    };

    it('starts a new cluster under the proposed id at epoch 0', async () => {
      const open = opener();
      expect(await (await open()).open('first')).toEqual({ clusterId: 'first', epoch: 0 });
    });

    it('keeps id and highest epoch for whoever opens it next', async () => {
      const open = opener();
      const before = await open();
      await before.open('first');
      await before.commitEpoch(1);
      await before.commitEpoch(7);
      expect(await (await open()).open('second')).toEqual({ clusterId: 'first', epoch: 7 });
    });

    it.each([7, 6, 0])('refuses epoch %i after 7, and keeps 7', async (epoch) => {
      const open = opener();
      const store = await open();
      await store.open('first');
      await store.commitEpoch(7);
      await expect(store.commitEpoch(epoch)).rejects.toMatchObject({ name: 'AppError', code: 'aborted' });
      expect(await store.open('first')).toMatchObject({ epoch: 7 });
    });

    it('lets only one of two control planes commit an epoch', async () => {
      const open = opener();
      const [one, other] = [await open(), await open()];
      await one.open('first');
      await other.open('second');
      const outcomes = await Promise.allSettled([one.commitEpoch(1), other.commitEpoch(1)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });
  });
}
