import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { smallGguf } from '../assets/small-assets.ts';
import { shell, test } from './site.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;

const config = `
domains: [healthcare, finance]
rules:
  - { match: "models/{domain}-*.gguf", collection: models/production }
  - { match: "data/training/{domain}/**", collection: data/training }
`;

test.skipIf(!hasGit)(
  'stock Git reads the exported history, and an export that is brought up to date',
  async ({ site }) => {
    const history = join(site.folder, 'history.git');
    const git = (args: string): string => shell(`git ${args}`, history);
    site.write('mbk.yaml', config);
    site.write('models/healthcare-7b.gguf', smallGguf('healthcare'));
    site.write('models/finance-7b.gguf', smallGguf('finance'));
    site.write('data/training/healthcare/with space\nand line.jsonl', '{}\n');
    await site.mbk(['snapshot', '-m', 'day one\n\nin two paragraphs', '--tag', 'v1']);
    const first = await site.json<object>(['catalogue', 'export', history]);
    expect(first).toMatchObject({ domains: ['finance', 'healthcare', 'system'] });

    expect(git('fsck --strict --full 2>&1')).not.toMatch(/error|warning|missing|dangling/);
    const [tag = ''] = git("tag -l 'healthcare/2*'").split('\n');
    expect(tag).toMatch(/^healthcare\/\d{4}-\d{2}-\d{2}$/);
    expect(git("tag -l 'healthcare/*'").split('\n')).toContain('healthcare/v1');
    expect(git(`cat-file -t '${tag}'`)).toBe('tag\n');
    const manifest = git(`show '${tag}:snapshot.json'`);
    expect(JSON.parse(manifest)).toMatchObject({ domain: 'healthcare', host: 'lab-1' });
    expect(git('log --stat healthcare')).toMatch(/day one[\s\S]*assets\.jsonl[\s\S]*snapshot\.json/);
    // The commit speaks of the bytes of its manifest, and sha256sum agrees.
    const [sum] = git(`show '${tag}:snapshot.json' | sha256sum`).split(' ');
    expect(git(`log -1 --format='%(trailers:key=Manifest-SHA256,valueonly)' '${tag}'`).trim()).toBe(sum);
    for (const line of git(`show '${tag}:assets.jsonl'`).trim().split('\n').filter(Boolean))
      expect(JSON.parse(line)).toBeTypeOf('object');

    site.write('models/healthcare-7b.gguf', smallGguf('healthcare, trained further'));
    await site.mbk(['snapshot', '-m', 'day two', '--domain', 'healthcare']);
    const before = git('rev-parse healthcare').trim();
    expect(await site.json<object>(['catalogue', 'export', history])).toMatchObject({ commits: 1 });
    expect(git('rev-parse healthcare~1').trim()).toBe(before);
    expect(git('log --format=%s healthcare')).toBe('day two\nday one\n');
    expect(git('fsck --strict --full 2>&1')).not.toMatch(/error|warning|missing|dangling/);
    // The second commit speaks of the bytes of the first.
    const parentSum = git(`cat-file commit '${before}' | sha256sum`).split(' ')[0];
    expect(git("log -1 --format='%(trailers:key=Parent-SHA256,valueonly)' healthcare").trim()).toBe(parentSum);

    // A clone is an ordinary one; its files are the manifests.
    shell(`git clone --quiet --branch healthcare '${history}' clone 2>&1`, site.folder);
    expect(JSON.parse(readFileSync(join(site.folder, 'clone/snapshot.json'), 'utf8'))).toMatchObject({
      domain: 'healthcare',
    });
  },
);
