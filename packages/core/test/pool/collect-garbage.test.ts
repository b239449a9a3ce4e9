import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { garbageCollector } from '../../src/pool/collect-garbage.ts';

test.each([undefined, { type: 'major', flavor: 'last-resort' } as const])(
  'what nothing holds any more is gone: %o',
  async (how) => {
    const held = { bytes: new Uint8Array(1000) };
    const refs = [held, { bytes: new Uint8Array(1000) }].map((one) => new WeakRef(one));
    // A WeakRef holds until the job ends that made it.
    await setImmediate();
    const collect = garbageCollector();
    if (how === undefined) collect();
    else collect(how);
    expect(refs.map((ref) => ref.deref())).toEqual([held, undefined]);
  },
);
