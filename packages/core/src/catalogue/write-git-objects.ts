/**
 * Writing Git objects with isomorphic-git, into memory only.
 *
 * isomorphic-git on a real folder writes in place and without fsync; here it writes to a `memoryFs`, and its loose
 * objects are taken out again as plain contents.
 */
import { inflateSync } from 'node:zlib';
import type * as Git from 'isomorphic-git';
import type { CommitObject, TagObject, TreeEntry } from 'isomorphic-git';
import { gitObjectId, gitObjectTypes, type GitObject } from '../format/catalogue-bundle.ts';
import { asGitObjectId, type GitObjectId } from '../format/ids.ts';
import { limits } from '../format/limits.ts';
import { memoryFs } from './memory-fs.ts';

/** Each writes one object and gives its id. */
export interface GitWriter {
  blob(content: Uint8Array): Promise<GitObjectId>;
  tree(entries: readonly TreeEntry[]): Promise<GitObjectId>;
  commit(commit: CommitObject): Promise<GitObjectId>;
  tag(tag: TagObject): Promise<GitObjectId>;
}

const gitdir = '/git';

/** What `write` returns, and the objects it wrote, each once, in no particular order. */
export async function writeGitObjects<T>(
  write: (git: GitWriter) => Promise<T>,
): Promise<{ readonly result: T; readonly objects: GitObject[] }> {
  const git = await loadGit();
  const { client: fs, files } = memoryFs();
  const result = await write({
    blob: async (content) => asGitObjectId(await git.writeBlob({ fs, gitdir, blob: content })),
    tree: async (entries) => asGitObjectId(await git.writeTree({ fs, gitdir, tree: [...entries] })),
    commit: async (commit) => asGitObjectId(await git.writeCommit({ fs, gitdir, commit })),
    tag: async (tag) => asGitObjectId(await git.writeTag({ fs, gitdir, tag })),
  });
  return { result, objects: [...files].map(([path, bytes]) => looseObject(path, bytes)) };
}

/**
 * isomorphic-git takes 60 ms to load: only commands that write history pay it. Before its first object it asks once
 * whether the runtime can compress as browsers do, and in Node all of an HTTP client is loaded then: 0.15 s, and 5 MB. It
 * has a way of its own, and is made to take that one by an object that it writes while nothing compresses so.
 */
async function loadGit(): Promise<typeof Git> {
  const git = await import('isomorphic-git');
  const name = 'CompressionStream';
  // As a property: its value would be loaded by looking at it.
  const property = Object.getOwnPropertyDescriptor(globalThis, name);
  const isThere = property?.get !== undefined || property?.value !== undefined;
  // Otherwise somebody else is at it, whose object is written before the property is back.
  if (property === undefined || !isThere) return git;
  Object.defineProperty(globalThis, name, { configurable: true, value: undefined });
  try {
    await git.writeBlob({ fs: memoryFs().client, gitdir, blob: new Uint8Array() });
  } finally {
    Object.defineProperty(globalThis, name, property);
  }
  return git;
}

/** The object in a loose file `/git/objects/<2 hex>/<38 hex>`: zlib of `<type> <length>`, a zero byte and the content. */
function looseObject(path: string, bytes: Uint8Array): GitObject {
  const id = asGitObjectId(path.slice(`${gitdir}/objects/`.length).replace('/', ''));
  const wrapped = inflateSync(bytes, { maxOutputLength: limits.documentBytes });
  const end = wrapped.indexOf(0);
  const name = wrapped.subarray(0, end).toString('latin1').split(' ', 1)[0];
  const type = gitObjectTypes.find((one) => one === name);
  const content = new Uint8Array(wrapped.subarray(end + 1));
  if (type === undefined || gitObjectId(type, content) !== id) {
    throw new TypeError(
      `expected ${path} to hold the Git object of its name, got ${name} of ${content.byteLength} bytes`,
    );
  }
  return { id, type, content };
}
