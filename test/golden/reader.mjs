// An independent reader of mbk repositories, written from docs/format.md alone: nothing of mbk is imported.
//
//   node reader.mjs REPOSITORY SECRET-FILE     prints `<sha256>  <commit, 10 digits>:<path>`, sorted, for every file of
//                                              every snapshot; the secret is a passphrase, key file or recovery key
//
// It walks the way a reader in another language would: mbk.json → slot → grant → keyset → log → bundles → trees → packs.
// Names are printed as in JSON, those that are not UTF-8 as `hex:` and their bytes. Packs are held in memory.
// Needs Node 24.15 or newer for Argon2 and zstd; uses node:crypto, node:zlib and node:fs only.
import assert from 'node:assert/strict';
import { argon2Sync, createDecipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, verify } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

const [repositoryFolder, secretFile] = process.argv.slice(2);
const secretText = readFileSync(secretFile, 'utf8').split('\n')[0];

// ---- bytes, hashes, ciphers -----------------------------------------------------------------------------------------
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const unhex = (text) => Buffer.from(text, 'hex');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const hkdf = (ikm, salt, info) => Buffer.from(hkdfSync('sha256', ikm, salt, info, 32));
const canonical = (value) =>
  Array.isArray(value)
    ? `[${value.map(canonical).join(',')}]`
    : typeof value === 'object' && value !== null
      ? `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
      : JSON.stringify(value);
const without = (record, ...fields) => Object.fromEntries(Object.entries(record).filter(([key]) => !fields.includes(key)));
const nonceOf = (index) => Buffer.from(Uint32Array.of(index, 0, 0).buffer); // on a little-endian machine
function openBox(key, nonce, box, additional = Buffer.alloc(0)) {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(additional);
  decipher.setAuthTag(box.subarray(-16));
  return Buffer.concat([decipher.update(box.subarray(0, -16)), decipher.final()]);
}
const rawKey = (prefix, raw) => Buffer.concat([unhex(prefix), raw]); // DER of RFC 8410
const x25519Private = (raw) => createPrivateKey({ key: rawKey('302e020100300506032b656e04220420', raw), format: 'der', type: 'pkcs8' });
const x25519Public = (raw) => createPublicKey({ key: rawKey('302a300506032b656e032100', raw), format: 'der', type: 'spki' });
const publicOf = (raw) => createPublicKey(x25519Private(raw)).export({ format: 'der', type: 'spki' }).subarray(-32);
const agree = (privateRaw, publicRaw) => diffieHellman({ privateKey: x25519Private(privateRaw), publicKey: x25519Public(publicRaw) });
const isSigned = (publicRaw, message, signature) =>
  verify(null, message, createPublicKey({ key: rawKey('302a300506032b6570032100', publicRaw), format: 'der', type: 'spki' }), signature);

// ---- entries --------------------------------------------------------------------------------------------------------
const read = (key) => readFileSync(join(repositoryFolder, key));
const list = (folder) => (existsSync(join(repositoryFolder, folder)) ? readdirSync(join(repositoryFolder, folder)).sort() : []);
function readNamed(folder, id) {
  const bytes = read(`${folder}/${id}`);
  assert.equal(hex(sha256(bytes)), id, `${folder}/${id} is damaged`);
  return bytes;
}
/** The first of `mbk.json`, slot or grant and its copy that is there and passes `check`. */
function readEither(key, check) {
  for (const one of [key, `copy/${key}`]) {
    const bytes = existsSync(join(repositoryFolder, one)) ? read(one) : undefined;
    if (bytes !== undefined && check(bytes)) return JSON.parse(bytes);
  }
  throw new Error(`${key} and its copy are absent or damaged`);
}
const listEither = (folder) => new Set([...list(folder), ...list(`copy/${folder}`)]);
const readNamedEither = (folder, id) => readEither(`${folder}/${id}`, (bytes) => hex(sha256(bytes)) === id);

// ---- mbk.json, slot, grant, keyset ----------------------------------------------------------------------------------
const { format, version, repository } = readEither('mbk.json', (bytes) => {
  const record = JSON.parse(bytes);
  return record.check === hex(sha256(canonical(without(record, 'check'))));
});
assert.deepEqual({ format, version }, { format: 'mbk repository', version: 1 });

/** The secret's kind, and its bytes for a slot's key derivation. */
function readSecret() {
  const keyFile = /^mbk-key-1:([0-9a-f]{64})$/.exec(secretText);
  if (keyFile !== null) return { kind: 'key-file', stretch: () => unhex(keyFile[1]) };
  if (/^([A-Z2-7]{4}-){13}[A-Z2-7]{4}$/.test(secretText)) {
    const bits = [...secretText.replaceAll('-', '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'));
    const bytes = Buffer.from(bits.join('').match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    assert.deepEqual(sha256(bytes.subarray(0, 32)).subarray(0, 3), bytes.subarray(32), 'the recovery key is mistyped');
    return { kind: 'recovery', stretch: () => bytes.subarray(0, 32) };
  }
  const message = secretText.normalize('NFC');
  const stretch = ({ memoryKiB: memory, passes, parallelism, salt }) =>
    argon2Sync('argon2id', { message, nonce: unhex(salt), memory, passes, parallelism, tagLength: 32 });
  return { kind: 'passphrase', stretch };
}

function openSlot({ kind, stretch }) {
  for (const id of listEither('slots')) {
    const slot = readNamedEither('slots', id);
    if (slot.repository !== repository || slot.kind !== kind) continue;
    const wrapped = unhex(slot.wrapped);
    const key = hkdf(stretch(slot.kdf), unhex(slot.kdf.salt), 'mbk/1 slot');
    try {
      const both = openBox(key, wrapped.subarray(0, 12), wrapped.subarray(12), sha256(canonical(without(slot, 'wrapped'))));
      return { slot, agreement: both.subarray(0, 32) };
    } catch {
      continue; // another secret's slot
    }
  }
  throw new Error('the secret opens no slot');
}

function openGrants({ slot, agreement }) {
  const keysets = new Map();
  for (const id of listEither('grants')) {
    const grant = readNamedEither('grants', id);
    if (grant.repository !== repository || grant.recipient !== slot.agreement) continue;
    const signed = Buffer.from(`mbk/1 grant${canonical(without(grant, 'signature'))}`);
    assert(isSigned(unhex(grant.signer), signed, unhex(grant.signature)), 'grant signature');
    const salt = sha256(canonical(without(grant, 'sealed', 'signature')));
    const key = hkdf(agree(agreement, unhex(grant.ephemeral)), salt, 'mbk/1 grant');
    for (const one of JSON.parse(openBox(key, Buffer.alloc(12), unhex(grant.sealed))).keys) {
      keysets.set(one.keyset, (label) => hkdf(unhex(one.root), unhex(one.keyset), `mbk/1 keyset ${label}`));
    }
  }
  return keysets;
}
const keysets = openGrants(openSlot(readSecret()));

// ---- sealing --------------------------------------------------------------------------------------------------------
function header(bytes, magic) {
  assert.equal(bytes.subarray(0, 4).toString('latin1'), magic);
  assert.equal(bytes[4], 1);
  assert.equal(hex(bytes.subarray(8, 24)), repository);
  return { bytes: bytes.subarray(0, 72), subkey: keysets.get(hex(bytes.subarray(24, 40))), salt: bytes.subarray(40, 72) };
}
function openDocument(bytes, magic, label, info) {
  const head = header(bytes, magic);
  const plain = openBox(hkdf(head.subkey(label), sha256(head.bytes), info), nonceOf(0), bytes.subarray(72));
  const stored = plain.subarray(12, 12 + plain.readUInt32LE(4));
  const body = plain[0] === 1 ? zstdDecompressSync(stored) : stored;
  assert.equal(body.length, plain.readUInt32LE(8));
  return body;
}

// ---- the log --------------------------------------------------------------------------------------------------------
function* logEntries() {
  let previous = Buffer.alloc(32);
  for (let n = 1n; ; n++) {
    const key = `log/${repository}/${(2n ** 64n - 1n - n).toString(16).padStart(16, '0')}`;
    if (!existsSync(join(repositoryFolder, key))) return;
    const bytes = read(key);
    assert.equal(bytes.subarray(0, 4).toString('latin1'), 'mbkL');
    assert.equal(hex(bytes.subarray(8, 24)), repository);
    assert.equal(bytes.readBigUInt64LE(24), n);
    assert.deepEqual(bytes.subarray(32, 64), previous, `the chain breaks at entry ${n}`);
    assert.deepEqual(bytes.subarray(-32), sha256(bytes.subarray(0, -32)));
    previous = sha256(bytes);

    const tableEnd = 96 + 24 * bytes[5];
    const salt = sha256(bytes.subarray(0, tableEnd));
    let offset = tableEnd;
    let first;
    const ops = [];
    for (let section = 0; section < bytes[5]; section++) {
      const row = 96 + 24 * section;
      const length = bytes.readUInt32LE(row + 16);
      const subkey = keysets.get(hex(bytes.subarray(row, row + 16)));
      if (subkey !== undefined) {
        const key = hkdf(subkey('log'), salt, 'mbk/1 log section');
        const record = JSON.parse(openBox(key, nonceOf(section), bytes.subarray(offset, offset + length)));
        first ??= record;
        ops.push(...record.ops);
      }
      offset += length;
    }
    const signed = Buffer.concat([Buffer.from('mbk/1 log entry'), bytes.subarray(0, -96)]);
    assert(isSigned(unhex(first.actor), signed, bytes.subarray(-96, -32)), `signature of entry ${n}`);
    yield { n, ops };
  }
}

// ---- packs: every blob's place, from the footers --------------------------------------------------------------------
const places = new Map();
for (const [folder, magic] of [['packs', 'mbkP'], ['meta', 'mbkM']]) {
  for (const prefix of list(folder)) for (const id of list(`${folder}/${prefix}`)) readFooter(readNamed(`${folder}/${prefix}`, id), magic);
}
function readFooter(bytes, magic) {
  const head = header(bytes, magic);
  const label = magic === 'mbkP' ? 'data' : 'meta';
  assert.equal(bytes.subarray(-4).toString('latin1'), 'mbkp');
  const box = bytes.subarray(-16 - bytes.readUInt32LE(bytes.length - 16), -16);
  const footer = openBox(hkdf(head.subkey('index'), sha256(head.bytes), 'mbk/1 pack footer'), nonceOf(0), box);
  const [frames, blobs, bases, parameters] = [4, 8, 12, 16].map((at) => footer.readUInt32LE(at));
  const end = 24 + 32 * frames + 40 * blobs + 32 * bases + parameters;
  const signed = Buffer.concat([Buffer.from('mbk/1 pack'), head.bytes, footer.subarray(0, end + 32)]);
  assert(isSigned(footer.subarray(end, end + 32), signed, footer.subarray(end + 32, end + 96)), 'signature of a pack');

  const secret = head.subkey(label);
  const recipient = publicOf(secret);
  const info = Buffer.concat([Buffer.from(`mbk/1 ${label} frames`), recipient]);
  const key = hkdf(agree(secret, head.salt), sha256(head.bytes), info);
  let row = 24 + 32 * frames;
  for (let frame = 0; frame < frames; frame++) {
    const at = 24 + 32 * frame;
    const place = {
      key,
      frame,
      box: bytes.subarray(footer.readUInt32LE(at), footer.readUInt32LE(at) + footer.readUInt32LE(at + 4)),
      length: footer.readUInt32LE(at + 8),
      codec: footer[at + 12],
    };
    assert.deepEqual(place.box.subarray(-8), footer.subarray(at + 24, at + 32));
    let offset = 0;
    for (let blob = 0; blob < footer.readUInt32LE(at + 16); blob++, row += 40) {
      const length = footer.readUInt32LE(row + 32);
      places.set(`${label} ${hex(footer.subarray(row, row + 32))}`, { ...place, offset, size: length });
      offset += length;
    }
  }
}
function blob(label, id) {
  const place = places.get(`${label} ${id}`);
  assert(place, `blob ${id} is in no pack`);
  const stored = openBox(place.key, nonceOf(place.frame), place.box);
  assert(place.codec <= 1, `codec ${place.codec}`);
  const plain = place.codec === 1 ? zstdDecompressSync(stored) : stored;
  assert.equal(plain.length, place.length);
  const bytes = plain.subarray(place.offset, place.offset + place.size);
  assert.equal(hex(sha256(bytes)), id, `blob ${id} is damaged`);
  return bytes;
}
const metaRecord = (id) => JSON.parse(blob('meta', id));

// ---- catalogue ------------------------------------------------------------------------------------------------------
function readBundle(id) {
  const body = openDocument(readNamed('catalogue', id), 'mbkC', 'catalogue', 'mbk/1 catalogue');
  const objects = new Map();
  for (let at = 0; at < body.length; ) {
    const type = ['', 'commit', 'tree', 'blob', 'tag'][body[at]];
    const content = body.subarray(at + 25, at + 25 + body.readUInt32LE(at + 21));
    const oid = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
    assert.equal(oid, hex(body.subarray(at + 1, at + 21)));
    objects.set(oid, content);
    at += 25 + content.length;
  }
  return objects;
}
function gitTree(content) {
  const entries = new Map();
  for (let at = 0; at < content.length; ) {
    const zero = content.indexOf(0, at);
    entries.set(content.subarray(at, zero).toString().split(' ')[1], hex(content.subarray(zero + 1, zero + 21)));
    at = zero + 21;
  }
  return entries;
}
const commits = new Map();
function readManifest(commit, bundle) {
  const objects = readBundle(bundle);
  const text = objects.get(commit).toString();
  commits.set(commit, objects.get(commit));
  const parent = /^parent ([0-9a-f]{40})$/m.exec(text)?.[1];
  const parentHash = /^Parent-SHA256: ([0-9a-f]{64})$/m.exec(text)?.[1];
  assert.equal(parentHash, parent && hex(sha256(commits.get(parent))), `the parent of commit ${commit}`);
  const tree = gitTree(objects.get(/^tree ([0-9a-f]{40})$/m.exec(text)[1]));
  const manifest = objects.get(tree.get('snapshot.json'));
  assert.equal(hex(sha256(manifest)), /^Manifest-SHA256: ([0-9a-f]{64})$/m.exec(text)[1]);
  return JSON.parse(manifest);
}

// ---- trees and files ------------------------------------------------------------------------------------------------
function* entriesOf(treeId) {
  const record = metaRecord(treeId);
  if (record.type === 'tree-node') for (const child of record.children) yield* entriesOf(child.id);
  else yield* record.entries;
}
function* chunksOf(listId) {
  const record = metaRecord(listId);
  if (record.type === 'chunks-node') for (const child of record.children) yield* chunksOf(child.id);
  else yield* record.chunks;
}
function fileHash(entry) {
  const hash = createHash('sha256');
  if (entry.chunks === undefined) return entry.size === 0 ? hash.digest('hex') : hash.update(blob('data', entry.sha256)).digest('hex');
  for (const [id, length, offset] of chunksOf(entry.chunks)) {
    if (id === 0) hash.update(Buffer.alloc(length));
    else hash.update(offset === undefined ? blob('data', id) : blob('data', id).subarray(offset, offset + length));
  }
  return hash.digest('hex');
}
function* filesOf(treeId, folder = '') {
  for (const entry of entriesOf(treeId)) {
    const path = folder + (entry.name === undefined ? `hex:${entry.nameHex}` : JSON.stringify(entry.name).slice(1, -1));
    if (entry.type === 'directory') yield* filesOf(entry.tree, `${path}/`);
    if (entry.type === 'file') yield { path, entry };
  }
}

const lines = [];
for (const { ops } of logEntries()) {
  for (const { to, bundle } of ops.filter(({ op }) => op === 'advance').flatMap(({ heads }) => heads)) {
    const files = readManifest(to, bundle).collections.flatMap(({ tree }) => [...filesOf(tree)]);
    for (const { path, entry } of files) {
      const digest = fileHash(entry);
      assert.equal(digest, entry.sha256, `${path} restores to other bytes`);
      lines.push(`${digest}  ${to.slice(0, 10)}:${path}`);
    }
  }
}
console.log(lines.sort().join('\n'));
