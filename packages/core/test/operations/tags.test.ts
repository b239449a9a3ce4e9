import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../src/backend/memory.ts';
import { asEntryId } from '../../src/format/ids.ts';
import { addTag, removeTag } from '../../src/operations/tags.ts';
import { hookedBackend, type HookedBackend } from './hooked-backend.ts';
import { testRepository, type TestRepository } from './make-repository.ts';

const host = 'test-host';

async function withSnapshots(): Promise<{ lab: TestRepository; backend: HookedBackend }> {
  const backend = hookedBackend(memoryBackend());
  const lab = await testRepository(backend);
  for (const text of ['first', 'second']) {
    writeFileSync(join(lab.source, 'a'), text);
    await lab.snapshot();
  }
  return { lab, backend };
}

describe('a tag that is overtaken before its entry is put', () => {
  test('is refused when another host took its name', async () => {
    const { lab, backend } = await withSnapshots();
    const [one, other] = [await lab.open('one'), await lab.open('other')];
    backend.beforePut('log/', () => addTag(other, { name: 'v1', revision: 'system~1', host }));
    await expect(addTag(one, { name: 'v1', revision: 'system', host })).rejects.toMatchObject({ code: 'tag-exists' });
  });

  test('names a bundle that is there, also when a prune took its own for a stray', async () => {
    const { lab, backend } = await withSnapshots();
    const [one, other] = [await lab.open('one'), await lab.open('other')];
    const before = new Set([...one.log.fold.lines.values()].map(({ bundle }) => `catalogue/${bundle}`));
    backend.beforePut('log/', async () => {
      const bundles = [];
      for await (const { key } of backend.list('catalogue/'))
        if (!before.has(key)) bundles.push(asEntryId(key.slice(10)));
      expect(bundles).toHaveLength(1);
      const discarded = { packs: [], segments: [], bundles };
      await other.log.append(() => ({ ops: [{ op: 'condemn', ...discarded }] }));
      await other.log.append((fold) => ({ ops: [{ op: 'delete', ...discarded, spared: [], condemned: fold.n }] }));
      for (const id of bundles) await backend.delete(`catalogue/${id}`);
    });
    await addTag(one, { name: 'v1', revision: 'system', host });
    const reader = await lab.open('reader');
    expect(reader.log.findings).toEqual([]);
    expect(await reader.catalogue().readTag('system/v1')).toMatchObject({ commit: reader.resolve('system').commit });
  });

  test('is not removed when its name means another snapshot by then', async () => {
    const { lab, backend } = await withSnapshots();
    const [one, other] = [await lab.open('one'), await lab.open('other')];
    await addTag(one, { name: 'v1', revision: 'system', host });
    let moved = '';
    backend.beforePut('log/', async () => {
      await removeTag(other, 'system/v1');
      moved = (await addTag(other, { name: 'v1', revision: 'system~1', host })).commit;
    });
    await removeTag(one, 'system/v1');
    expect((await lab.open('reader')).log.fold.tags.get('system/v1')?.commit).toBe(moved);
  });
});
