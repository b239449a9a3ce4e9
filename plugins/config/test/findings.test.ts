import { examineFile, memoryReader, plainContext, type Finding } from '@mbk/plugin-sdk';
import { expect, test } from 'vitest';
import { codes, plugin } from '../src/index.ts';

interface Case {
  readonly path: string;
  readonly text: string | Uint8Array;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly siblings?: Readonly<Record<string, string>>;
}

const kindOf: Readonly<Record<string, string>> = { yml: 'yaml', env: 'dotenv', cfg: 'ini' };

async function findingsOf({ options = {}, path, siblings = {}, text }: Case): Promise<readonly Finding[]> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const others = Object.fromEntries(
    Object.entries(siblings).map(([name, content]) => [name, new TextEncoder().encode(content)]),
  );
  const extension = path.slice(path.lastIndexOf('.') + 1);
  const context = plainContext({
    kind: `config/${kindOf[extension] ?? extension}`,
    options: { secrets: 'warning', allowSecretsIn: [], schemas: [], ...options },
  });
  const { findings } = await examineFile(plugin, memoryReader(path, bytes, others), context);
  return findings;
}

const shown = async (wanted: Case): Promise<string[]> =>
  (await findingsOf(wanted)).map(
    ({ code, column, line, pointer }) =>
      `${code}${pointer === undefined ? '' : ` ${pointer}`}${line === undefined ? '' : ` ${line}:${column}`}`,
  );

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);
const laughs = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefgh'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[index]}`).join(', ')}]`),
].join('\n');

const cases: readonly (readonly [what: string, wanted: Case, expected: readonly string[]])[] = [
  ['sound files have none', { path: 'a.yaml', text: 'a: 1\nb: [x, {c: d}]\n' }, []],
  ['an empty file has none', { path: 'a.json', text: '' }, []],
  ['YAML that ends within a quote', { path: 'a.yaml', text: 'a: 1\nb: "x\n' }, ['config/syntax 3:1']],
  ['YAML with a tab for indentation', { path: 'a.yaml', text: 'a:\n\tb: 1\n' }, ['config/syntax 2:1']],
  ['a key twice in YAML', { path: 'a.yaml', text: 'lr: 1\nx: 2\nlr: 3\n' }, ['config/duplicate-key 3:1']],
  ['a tag of Python', { path: 'a.yaml', text: 'a: !!python/name:os.system x\n' }, ['config/unknown-tag 1:4']],
  ['a number that PyYAML reads as text', { path: 'a.yaml', text: 'lr: 2e-5\n' }, ['config/ambiguous-scalar /lr 1:5']],
  ['yes and no', { path: 'a.yaml', text: 'a: yes\nb: "no"\n' }, ['config/ambiguous-scalar /a 1:4']],
  ['a billion laughs', { path: 'a.yaml', text: laughs }, ['config/expands']],
  ['YAML nested too deep', { path: 'a.yaml', text: nested('[', ']', 20_000) }, ['config/too-deep']],
  ['JSON nested too deep', { path: 'a.json', text: nested('[', ']', 100_000) }, ['config/too-deep']],
  ['TOML nested too deep', { path: 'a.toml', text: `a = ${nested('[', ']', 150)}` }, ['config/too-deep']],
  ['a comment in JSON', { path: 'a.json', text: '{\n  // x\n}' }, ['config/syntax 2:3']],
  ['a comment in JSONC', { path: 'a.jsonc', text: '{\n  // x\n}' }, []],
  ['a key twice in JSON', { path: 'a.json', text: '{"a": 1,\n "a": 2}' }, ['config/duplicate-key /a 2:2']],
  ['a key twice in JSON5', { path: 'a.json5', text: "{a: 1, 'a': 2}" }, ['config/duplicate-key /a 1:8']],
  ['NaN in JSON, as Python writes it', { path: 'a.json', text: '{"loss": NaN}' }, ['config/syntax 1:10']],
  ['an integer that is rounded', { path: 'a.json', text: '{"id": 9007199254740993}' }, ['config/number-range /id 1:8']],
  ['a key twice in TOML', { path: 'a.toml', text: 'a = 1\na = 2\n' }, ['config/duplicate-key 2:1']],
  ['TOML without a value', { path: 'a.toml', text: 'a =\n' }, ['config/syntax 1:4']],
  [
    'a key and a section twice in INI',
    { path: 'a.ini', text: '[a]\nb=1\nb=2\n[a]\n' },
    ['config/duplicate-key /a/b 3:1', 'config/duplicate-key /a 4:1'],
  ],
  ['a section that does not close', { path: 'a.ini', text: '[a\n' }, ['config/syntax 1:1']],
  ['a variable twice', { path: 'x.env', text: 'A=1\nexport A=2\n' }, ['config/duplicate-key /A 2:1']],
  ['a line that sets nothing', { path: 'x.env', text: 'A=1\nnothing\n' }, ['config/syntax 2:1']],
  ['a quote that never closes', { path: 'x.env', text: 'A="1\nB=2\n' }, ['config/syntax 1:1']],
  ['bytes that are no UTF-8', { path: 'a.yaml', text: Uint8Array.of(0x61, 0xff, 0x62) }, ['config/encoding']],
  ['a byte order mark', { path: 'a.json', text: '\u{FEFF}{}' }, ['config/byte-order-mark']],
  ['a file that is no configuration', { path: 'a.json', text: `"${'x'.repeat(300_000)}"` }, ['config/too-large']],
  [
    'a value that the schema forbids',
    {
      path: 'configs/training/a.yaml',
      text: 'lr: fast\n',
      options: { schemas: [{ match: 'configs/training/*.yaml', schema: 'schemas/t.json' }] },
      siblings: { '/schemas/t.json': '{"properties": {"lr": {"type": "number"}}}' },
    },
    ['config/schema /lr 1:1'],
  ],
  [
    'a schema that is not there',
    { path: 'a.yaml', text: 'lr: 1\n', options: { schemas: [{ match: '*.yaml', schema: 'no.json' }] } },
    ['config/schema-unreadable'],
  ],
  [
    'a schema that is none',
    {
      path: 'a.yaml',
      text: 'lr: 1\n',
      options: { schemas: [{ match: '*.yaml', schema: 't.json' }] },
      siblings: { '/t.json': '{"type": "nonsense"}' },
    },
    ['config/schema-unreadable'],
  ],
];

test.each(cases)('%s', async (_, wanted, expected) => expect(await shown(wanted)).toEqual(expected));

test('every code is made by one of these, or is about secrets', () => {
  const made = new Set(cases.flatMap(([, , expected]) => expected.map((line) => line.split(' ')[0])));
  expect(Object.keys(codes).filter((code) => !made.has(code))).toEqual(['config/secret']);
});

/** Made up here, in the form of each issuer; put together so that no scanner takes this file for a leak. */
const random = 'Zq7Xw2Lm9Rt4Vb8Ny3Kc6Hs1Jd5Pf0Ga2Te7Ui4Wo9';
const tokens: readonly string[] = [
  `hf_${random.slice(0, 34)}`,
  `sk-ant-${random}`,
  `sk-proj-${random.slice(0, 40)}`,
  `AKIA${'Q7XW2LMRT4VBNYKC'}`,
  `AIza${random.slice(0, 35)}`,
  `ghp_${random.slice(0, 36)}`,
  `xoxb-${random.slice(0, 30)}`,
  `-----BEGIN RSA ${'PRIVATE'} KEY-----`,
  `postgres://lab:${random.slice(0, 12)}@db.example.org/x`,
];

test.each(tokens)('a secret is found and never shown: %#', async (token) => {
  for (const wanted of [
    { path: 'a.yaml', text: `a: 1\nvalue: "${token}"\n` },
    { path: 'a.yaml', text: `a: 1\n# ${token}\nbroken: [\n` },
    { path: 'a.env', text: `VALUE='${token}'\n` },
  ]) {
    const findings = await findingsOf(wanted);
    const found = findings.filter(({ code }) => code === 'config/secret');
    expect(found, wanted.text).toHaveLength(1);
    expect(JSON.stringify(findings)).not.toContain(token.slice(0, 20));
  }
});

test.each([
  'api_key: q8Zk2mX9vB4nT7w',
  'db:\n  password: correct horse',
  'HF_TOKEN: abcdefgh12345',
  'client_secret: 8fj3kd92ks',
])('a value is a secret by its key: %s', async (text) =>
  expect((await findingsOf({ path: 'a.yaml', text: `${text}\n` })).map(({ code }) => code)).toEqual(['config/secret']),
);

test.each([
  'pad_token: <|endoftext|>',
  'eos_token: "</s>"',
  'max_tokens: 4096',
  'tokenizer: meta/llama-tokenizer',
  'api_key: ${API_KEY}',
  'password: changeme',
  'api_key: your_key_here',
  'private_key: /etc/keys/a.pem',
  'secret: ""',
  'primary_key: customer_id',
])('what is no secret is not called one: %s', async (text) =>
  expect(await findingsOf({ path: 'a.yaml', text: `${text}\n` })).toEqual([]),
);

test('secrets are as grave as the options say, and meant where they say so', async () => {
  const wanted = { path: 'deploy/a.env', text: 'API_KEY=q8Zk2mX9vB4nT7w\n' };
  const severities = async (options: Readonly<Record<string, unknown>>): Promise<string[]> =>
    (await findingsOf({ ...wanted, options })).map(({ severity }) => severity);
  expect(await severities({ secrets: 'error' })).toEqual(['error']);
  expect(await severities({ secrets: 'off' })).toEqual([]);
  expect(await severities({ allowSecretsIn: ['deploy/*.env'] })).toEqual([]);
  expect(await severities({ allowSecretsIn: ['other/*.env'] })).toEqual(['warning']);
});
