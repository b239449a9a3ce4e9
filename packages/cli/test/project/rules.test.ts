import { describe, expect, test } from 'vitest';
import { compileRules, matchesCollection } from '../../src/project/rules.ts';

const assign = compileRules({
  file: 'mbk.yaml',
  domains: ['health', 'healthcare', 'finance'],
  rules: [
    { match: 'models/{domain}*.gguf', collection: 'models/production' },
    { match: 'checkpoints/{domain}_checkpoint_{step}.pth', collection: 'models/checkpoint' },
    { match: 'data/training/{domain}/**', collection: 'data/training' },
    { match: 'configs/trinity/**', collection: 'configs/system', domain: 'system' },
    { match: '*.adapter', collection: 'models/adapter', domain: 'finance' },
    { match: 'notes/', collection: 'other/notes' },
  ],
});

describe('rules', () => {
  test.each([
    ['models/healthcare-7b.gguf', 'healthcare', 'models/production'],
    ['models/health-7b.gguf', 'health', 'models/production'],
    ['checkpoints/finance_checkpoint_846.pth', 'finance', 'models/checkpoint'],
    ['data/training/finance/a/b.jsonl', 'finance', 'data/training'],
    ['configs/trinity/x.yaml', 'system', 'configs/system'],
    ['deep/down/x.adapter', 'finance', 'models/adapter'],
    ['notes/a/b', 'system', 'other/notes'],
    ['models/education.gguf', 'system', 'other/files'],
    ['models/sub/finance.gguf', 'system', 'other/files'],
    ['checkpoints/finance_checkpoint_1/2.pth', 'system', 'other/files'],
  ])('%s belongs to %s, %s', (path, domain, collection) => {
    expect(assign(path)).toEqual({ domain, collection });
  });

  test('a pattern character in a name is itself', () => {
    const one = compileRules({ file: 'mbk.yaml', domains: [], rules: [{ match: 'a+(b).txt', collection: 'x/y' }] });
    expect(one('a+(b).txt').collection).toBe('x/y');
    expect(one('aab.txt').collection).toBe('other/files');
  });

  test('collections are named by themselves, by category, or all', () => {
    expect(matchesCollection('models/*', 'models/checkpoint')).toBe(true);
    expect(matchesCollection('*', 'data/raw')).toBe(true);
    expect(matchesCollection('models/*', 'data/raw')).toBe(false);
  });
});
