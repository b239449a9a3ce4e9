import { readFileSync, symlinkSync } from 'node:fs';
import { relative } from 'node:path';
import { expect } from 'vitest';
import { filesBelow } from './judges.ts';
import { test } from './site.ts';

/** Each stands for one kind of thing that a storage must not learn; none of them can come about by chance. */
const secrets = {
  domain: 'zqdomainzq',
  collection: 'zqcategoryzq/zqclasszq',
  folder: 'zqfolderzq',
  file: 'zqfilenamezq.jsonl',
  linkTarget: 'zqtargetzq',
  message: 'zqmessagezq',
  tag: 'zqtagzq',
  host: 'zqhostzq',
  key: 'zqkeynamezq',
  plan: 'zqplanzq',
  project: 'mbk-end-to-end-',
  content: 'zqcontentzq, which stands in a file many times',
  tensor: 'zqtensorzq.weight',
} as const;

const config = `
domains: [${secrets.domain}]
rules:
  - { match: "${secrets.folder}/**", collection: ${secrets.collection}, domain: ${secrets.domain} }
plans:
  ${secrets.plan}: { collections: ["*"] }
`;

test('nothing that a storage holds says what is in it: no name, no message, no content', async ({ site }) => {
  const passphrase = 'zqpassphrasezq';
  site.write('new-passphrase', `${passphrase}\n`);
  await site.mbk(['key', 'add', '--passphrase', '--name', secrets.key], {
    env: { MBK_NEW_PASSPHRASE_FILE: 'new-passphrase' },
  });
  site.write('mbk.yaml', config);
  site.write(`${secrets.folder}/${secrets.file}`, `{"text":"${secrets.content}"}\n`.repeat(1000));
  site.write(`${secrets.folder}/small.txt`, secrets.content);
  site.write(`${secrets.folder}/model.safetensors`, safetensors(secrets.tensor));
  symlinkSync(secrets.linkTarget, `${site.project}/${secrets.folder}/link`);
  const host = { MBK_HOST: secrets.host };
  await site.mbk(['snapshot', '-m', secrets.message, '--tag', secrets.tag, '--plan', secrets.plan], { env: host });
  site.write(`${secrets.folder}/small.txt`, `${secrets.content}, changed`);
  await site.mbk(['snapshot', '-m', secrets.message], { env: host });
  await site.mbk(['tag', `${secrets.tag}-2`, secrets.domain, '-m', secrets.message], { env: host });

  // They are in there, for whoever has a key.
  const shown = JSON.stringify([
    await site.json(['log']),
    await site.json(['show', secrets.domain]),
    await site.json(['ls', secrets.domain, '-R']),
    await site.json(['key', 'list']),
  ]);
  for (const secret of [
    secrets.domain,
    secrets.collection,
    secrets.file,
    secrets.linkTarget,
    secrets.message,
    secrets.tag,
    secrets.host,
    secrets.key,
  ])
    expect(shown).toContain(secret);
  expect(shown).not.toContain(passphrase);

  const searched = [
    ...Object.values(secrets),
    ...secrets.collection.split('/'),
    passphrase,
    readFileSync(site.keyFile, 'latin1').trim(),
  ];
  expect(filesBelow(site.repository).length).toBeGreaterThan(15);
  expect(search(site.repository, searched)).toEqual([]);
  // The search finds what is in the clear, in names and in content.
  expect(search(site.project, searched)).toEqual(
    expect.arrayContaining([
      `${secrets.file} in ${secrets.folder}/${secrets.file}`,
      `${secrets.content} in ${secrets.folder}/small.txt`,
    ]),
  );
});

/** What of `texts` stands, in any form, in a path or in the bytes of a file below the folder. */
function search(folder: string, texts: readonly string[]): string[] {
  const searched = texts.flatMap(forms);
  return filesBelow(folder).flatMap((file) => {
    const path = relative(folder, file);
    const bytes = readFileSync(file);
    return searched
      .filter((form) => path.includes(form.toString('latin1')) || bytes.includes(form))
      .map((form) => `${form.toString('latin1')} in ${path}`);
  });
}

/** A text in the ways in which it could stand in a file: as it is, as hex, in UTF-16, and in base64 wherever it begins. */
function forms(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const inBase64 = [0, 1, 2].map((shift) => {
    const coded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Without the characters at both ends that also hold bits of what stands around it.
    return Buffer.from(coded.slice(shift === 0 ? 0 : shift + 1, -1));
  });
  return [
    bytes,
    Buffer.from(bytes.toString('hex')),
    Buffer.from(bytes.toString('hex').toUpperCase()),
    Buffer.from(text, 'utf16le'),
    ...inBase64,
  ];
}

/** A model with one tensor, large enough to be cut by its layout. */
function safetensors(name: string): Buffer {
  const data = Buffer.alloc(131_072, 1);
  const header = Buffer.from(
    JSON.stringify({ [name]: { dtype: 'F32', shape: [data.length / 4], data_offsets: [0, data.length] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}
