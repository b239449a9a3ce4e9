/**
 * Body of a catalogue bundle: Git objects one after the other (docs/format.md, Catalogue).
 *
 * What is decoded has the SHA-1 it is named by, so a reader may trust ids below this layer.
 */
import { createHash } from 'node:crypto';
import { MbkError } from '../errors.ts';
import { fromHex, toHex, utf8, viewOf } from './bytes.ts';
import { asGitObjectId, type GitObjectId } from './ids.ts';

/** Git's object types, in the order of their numbers 1 to 4. */
export const gitObjectTypes = ['commit', 'tree', 'blob', 'tag'] as const;
export type GitObjectType = (typeof gitObjectTypes)[number];

export interface GitObject {
  readonly id: GitObjectId;
  readonly type: GitObjectType;
  /** Content without Git's header. */
  readonly content: Uint8Array;
}

/** Id of an object as Git computes it: SHA-1 of `<type> <length>`, a zero byte and the content. */
export function gitObjectId(type: GitObjectType, content: Uint8Array): GitObjectId {
  const hasher = createHash('sha1')
    .update(utf8(`${type} ${content.byteLength}\0`))
    .update(content);
  return asGitObjectId(hasher.digest('hex'));
}

/*
 * offset size  meaning (of each object)
 *      0    1  type: 1 commit, 2 tree, 3 blob, 4 tag
 *      1   20  SHA-1 id
 *     21    4  length of the content
 *     25    –  content
 */
const rowBytes = 25;

/** Body of a bundle of `objects`, in their order. */
export function encodeBundle(objects: readonly GitObject[]): Uint8Array {
  let length = 0;
  for (const { content } of objects) length += rowBytes + content.byteLength;
  const body = new Uint8Array(length);
  const view = viewOf(body);
  let offset = 0;
  for (const { id, type, content } of objects) {
    body[offset] = gitObjectTypes.indexOf(type) + 1;
    body.set(fromHex(id), offset + 1);
    view.setUint32(offset + 21, content.byteLength, true);
    body.set(content, offset + rowBytes);
    offset += rowBytes + content.byteLength;
  }
  return body;
}

/**
 * The objects of a bundle's body, by id; contents are views of `body`.
 *
 * Errors: `value-invalid` for a type, length or second copy that the format does not allow, and for an object that
 * does not have the id it is stored under; `what` names the bundle.
 */
export function decodeBundle(body: Uint8Array, what: string): Map<GitObjectId, GitObject> {
  const objects = new Map<GitObjectId, GitObject>();
  const view = viewOf(body);
  for (let offset = 0; offset < body.byteLength;) {
    if (body.byteLength - offset < rowBytes) {
      throw new MbkError('value-invalid', `${what}: ${body.byteLength - offset} stray bytes after its last object`);
    }
    const type = gitObjectTypes[view.getUint8(offset) - 1];
    const id = asGitObjectId(toHex(body.subarray(offset + 1, offset + 21)));
    const length = view.getUint32(offset + 21, true);
    const start = offset + rowBytes;
    if (type === undefined) throw new MbkError('value-invalid', `${what}: object ${id} has an unknown type`);
    if (length > body.byteLength - start) {
      throw new MbkError(
        'value-invalid',
        `${what}: object ${id} claims ${length} bytes, ${body.byteLength - start} remain`,
      );
    }
    const content = body.subarray(start, start + length);
    if (gitObjectId(type, content) !== id) {
      throw new MbkError('value-invalid', `${what}: ${type} ${id} does not have that SHA-1`, {
        details: { object: id },
      });
    }
    if (objects.has(id)) throw new MbkError('value-invalid', `${what}: object ${id} occurs twice`);
    objects.set(id, { id, type, content });
    offset = start + length;
  }
  return objects;
}
