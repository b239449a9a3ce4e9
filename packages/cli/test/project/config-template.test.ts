import fc from 'fast-check';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/project/config.ts';
import type { ProjectConfig } from '../../src/project/config.ts';
import { renderConfig } from '../../src/project/config-template.ts';
import { guessProject } from '../../src/project/guess-project.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbk-template-'));

async function read(text: string): Promise<ProjectConfig> {
  const file = join(folder, 'mbk.yaml');
  writeFileSync(file, text);
  return readConfig(file);
}

const paths = [
  'models/healthcare-7b.gguf',
  'checkpoints/healthcare_1.pth',
  'data/training/healthcare/a.jsonl',
  'configs/a.yaml',
];

describe('a new mbk.yaml', () => {
  test('is read back as what was guessed', async () => {
    const guess = guessProject(paths, 'lab');
    const config = await read(renderConfig(guess, { repository: './backups' }));
    expect(config).toMatchObject({
      repository: './backups',
      domains: guess.domains,
      rules: guess.rules,
      retention: {},
    });
    expect(config.exclude).toContain('__pycache__/');
    expect(Object.keys(config.plans)).toEqual(['daily', 'weekly', 'monthly']);
  });

  test('is valid for an empty project, and says by examples what could stand there', async () => {
    const text = renderConfig(guessProject([], 'lab'), { repository: '/srv/a b: #c' });
    expect(await read(text)).toMatchObject({ repository: '/srv/a b: #c', domains: [] });
    expect(text).toContain('# - match: models/{domain}*.gguf');
    expect(text).toContain('# domains: [healthcare, finance]');
    expect(
      await read(text.replace('  # - match', '  - match').replace('  #   collection', '    collection')),
    ).toMatchObject({
      rules: [{ match: 'models/{domain}*.gguf', collection: 'models/production' }, {}, { match: '**' }],
    });
  });

  test('keeps everything until somebody takes the # away, and is valid then', async () => {
    for (const found of [paths, []]) {
      const text = renderConfig(guessProject(found, 'lab'), { repository: './backups' });
      const start = text.indexOf('# retention:');
      const config = await read(text.slice(0, start) + text.slice(start).replaceAll(/^# ?/gm, ''));
      expect(config.retention['models/checkpoint']).toEqual({ within: '30d' });
    }
  });

  test('holds any repository and any folder names as they are', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { maxLength: 4 }), async (repository, folders) => {
        const guess = guessProject(
          folders.map((name) => `${name.replaceAll('/', '_')}/x.gguf`),
          'lab',
        );
        expect(await read(renderConfig(guess, { repository }))).toMatchObject({ repository, rules: guess.rules });
      }),
      { numRuns: 50 },
    );
  });

  test.each(['yes', 'null', 'true', '.5', '1e3', '~', '- a', 'NO', '0x1f', '2025-01-01'])(
    '%s stays a text',
    async (repository) => {
      expect(await read(renderConfig(guessProject([], 'lab'), { repository }))).toMatchObject({ repository });
    },
  );
});
