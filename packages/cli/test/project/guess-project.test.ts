import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guessProject } from '../../src/project/guess-project.ts';
import { compileRules, otherCollection } from '../../src/project/rules.ts';

const lab = [
  'README.md',
  'checkpoints/finance_checkpoint_12.pth',
  'checkpoints/healthcare_checkpoint_846.pth',
  'configs/trinity/routing.yaml',
  'configs/healthcare.yaml',
  'data/training/finance/a.jsonl',
  'data/training/healthcare/a.jsonl',
  'data/validation/healthcare.jsonl',
  'models/finance-7b-q4.gguf',
  'models/healthcare-7b-q4.gguf',
  'models/healthcare/adapter_model.safetensors',
  'package.json',
  'src/main.py',
];

/** Where a guess puts each path. */
function assignments(paths: readonly string[], name = 'lab'): Record<string, string> {
  const assign = compileRules({ ...guessProject(paths, name), file: 'mbk.yaml' });
  return Object.fromEntries(
    paths.map((path) => {
      const { domain, collection } = assign(path);
      return [path, `${domain}: ${collection}`];
    }),
  );
}

describe('the guess of a project', () => {
  test('finds domains in folders and at the start of names, and a rule for each place', () => {
    const { domains, rules, collections, assets } = guessProject(lab, 'lab');
    expect(domains).toEqual(['finance', 'healthcare']);
    expect(rules).toEqual([
      { match: 'data/training/{domain}/**', collection: 'data/training' },
      { match: 'data/validation/{domain}*.jsonl', collection: 'data/validation' },
      { match: 'checkpoints/{domain}*.pth', collection: 'models/checkpoint' },
      { match: 'configs/{domain}*.yaml', collection: 'configs/files' },
      { match: 'models/{domain}*.gguf', collection: 'models/production' },
      { match: 'models/{domain}/**', collection: 'models/adapter' },
      { match: 'configs/**', collection: 'configs/files', domain: 'system' },
      { match: '/mbk.yaml', collection: 'configs/project', domain: 'system' },
    ]);
    expect(collections).toContain('data/validation');
    expect(assets).toBe(10);
  });

  test('puts each file where it belongs', () => {
    expect(assignments(lab)).toEqual({
      'README.md': `system: ${otherCollection}`,
      'checkpoints/finance_checkpoint_12.pth': 'finance: models/checkpoint',
      'checkpoints/healthcare_checkpoint_846.pth': 'healthcare: models/checkpoint',
      'configs/healthcare.yaml': 'healthcare: configs/files',
      'configs/trinity/routing.yaml': 'system: configs/files',
      'data/training/finance/a.jsonl': 'finance: data/training',
      'data/training/healthcare/a.jsonl': 'healthcare: data/training',
      'data/validation/healthcare.jsonl': 'healthcare: data/validation',
      'models/finance-7b-q4.gguf': 'finance: models/production',
      'models/healthcare-7b-q4.gguf': 'healthcare: models/production',
      'models/healthcare/adapter_model.safetensors': 'healthcare: models/adapter',
      'package.json': `system: ${otherCollection}`,
      'src/main.py': `system: ${otherCollection}`,
    });
  });

  test('without a word that repeats, the project itself is the domain of all it has', () => {
    const paths = ['models/llama.gguf', 'models/last.pth', 'data/wiki.parquet', 'top.gguf', 'README.md'];
    expect(guessProject(paths, 'My Lab!').domains).toEqual([]);
    expect(assignments(paths, 'My Lab!')).toEqual({
      'models/llama.gguf': 'my-lab: models/production',
      'models/last.pth': 'my-lab: models/checkpoint',
      'data/wiki.parquet': 'my-lab: data/raw',
      'top.gguf': 'my-lab: models/production',
      'README.md': `my-lab: ${otherCollection}`,
    });
    expect(guessProject([], '???').rules).toEqual([
      { match: '/mbk.yaml', collection: 'configs/project', domain: 'project' },
      { match: '**', collection: otherCollection, domain: 'project' },
    ]);
  });

  test('the only domain that a person named is that of all there is; of several, the rest is of none of them', () => {
    const paths = ['models/healthcare-7b.gguf', 'top.gguf', 'README.md'];
    const domainsOf = (named: readonly string[]): unknown => {
      const assign = compileRules({ ...guessProject(paths, 'My Lab!', named), file: 'mbk.yaml' });
      return paths.map((path) => assign(path).domain);
    };
    expect(domainsOf(['lab'])).toEqual(['lab', 'lab', 'lab']);
    expect(domainsOf(['finance', 'healthcare'])).toEqual(['healthcare', 'system', 'system']);
  });

  test('takes no name for a domain whose folder says it already', () => {
    const paths = [
      'models/healthcare/alpaca-7b.gguf',
      'checkpoints/healthcare/alpaca_1.pth',
      'data/training/healthcare/a.jsonl',
    ];
    expect(guessProject(paths, 'lab').domains).toEqual(['healthcare']);
  });

  test('takes no word for a domain that says a stage, a kind or a format', () => {
    const paths = [
      'models/model-final.gguf',
      'data/training/final/x.jsonl',
      'checkpoints/train_1.pth',
      'data/train/a.csv',
    ];
    expect(guessProject(paths, 'lab').domains).toEqual([]);
  });

  test('says no more rules than anybody would read', () => {
    const paths = Array.from({ length: 200 }, (_, i) => `team${i}/model.gguf`);
    expect(guessProject(paths, 'lab').rules.length).toBeLessThanOrEqual(42);
  });

  test('is the same for any order of the paths', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(lab, { minLength: lab.length }), (paths) => {
        expect(guessProject(paths, 'lab')).toEqual(guessProject(lab, 'lab'));
      }),
    );
  });

  test('matches every asset that it counts, whatever folders are called', () => {
    const name = fc
      .stringMatching(/^[a-z{}*?#"' ().-]{1,8}$/)
      .filter((text) => !/^\.+$/.test(text) && text.trim() === text);
    const ending = fc.constantFrom('.gguf', '.pth', '.jsonl', '.parquet', '.safetensors');
    const path = fc
      .tuple(fc.array(name, { maxLength: 3 }), name, ending)
      .map(([folders, stem, end]) => [...folders, stem + end].join('/'));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), (paths) => {
        const assign = compileRules({ ...guessProject(paths, 'lab'), file: 'mbk.yaml' });
        for (const one of paths) expect(assign(one).collection).not.toBe(otherCollection);
      }),
    );
  });
});
