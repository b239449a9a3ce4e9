import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/project/config-schema.ts';
import { findConfig, readConfig } from '../../src/project/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbk-config-'));
const write = (text: string): string => {
  const file = join(folder, 'mbk.yaml');
  writeFileSync(file, text);
  return file;
};

describe('mbk.yaml', () => {
  test('is found from a subfolder', () => {
    const file = write('repository: ./backups\n');
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    expect(findConfig(join(folder, 'a/b'))).toBe(file);
  });

  test('an empty file is a configuration with nothing in it', async () => {
    expect(await readConfig(write('# nothing\n'))).toMatchObject({ root: folder, rules: [], domains: [] });
  });

  test.each([
    ['repository: ./b\nrules:\n  - match: "*.pt"\n', '3:5', 'collection'],
    ['repository: ./b\nrepositroy: ./c\n', '2:13', 'repositroy is not a setting'],
    ['rules:\n  - match: "*"\n    colection: a/b\n', '3:16', 'rules.0.colection is not a setting'],
    ['domains: [Finance]\n', '1:11', 'domains.0'],
    ['rules:\n  - match: [\n', '3:1', ''],
    ['a: 1\na: 2\n', '2:1', 'unique'],
    ['retention:\n  models/*: { within: 3 days }\n', '2:23', 'retention'],
  ])('%j is refused with its line and column', async (text, place, words) => {
    const error = await readConfig(write(text)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'config-invalid', exitCode: 2 });
    expect((error as Error).message).toContain(`mbk.yaml:${place}:`);
    expect((error as Error).message).toContain(words);
  });

  test.each(['off', 'fast', 'best'])('compression may be %s, as YAML has it', async (compression) => {
    expect(await readConfig(write(`compression: ${compression}\n`))).toMatchObject({ compression });
    await expect(readConfig(write(`compression: ${compression}er\n`))).rejects.toThrow('compression');
  });

  test('the published schema is the one that is checked', () => {
    const file = new URL('../../../../docs/schemas/mbk-yaml.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(configSchema);
  });
});
