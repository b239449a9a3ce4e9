/** What Git tells a hook, as what mbk makes of it: whether a snapshot is due, why, and after which commit it is named. */

import type { GitHookName } from './hook-script.ts';

export interface Occasion {
  /** For the snapshot: why it is taken. */
  readonly message: string;
  /** Name for a tag, without its domain; undefined where the date is name enough. */
  readonly tag: string | undefined;
  /** The commit that is deployed or was merged; undefined where there is none. */
  readonly commit: string | undefined;
  /** Whether a snapshot is made also when nothing changed. */
  readonly always: boolean;
}

export interface HookCall {
  /** Arguments of the hook. */
  readonly args: readonly string[];
  /** What it reads from its standard input. */
  readonly input: string;
  /** The commit that is checked out; undefined before the first one. */
  readonly head: string | undefined;
  /** The branch that is checked out. */
  readonly branch: string | undefined;
}

/** Undefined when there is nothing to do: only refs are deleted, or files and no branch checked out. */
export function occasionOf(name: GitHookName, call: HookCall): Occasion | undefined {
  const { args, branch = 'a detached HEAD', head } = call;
  switch (name) {
    case 'pre-push':
      return pushOccasion(call);
    case 'pre-commit':
      return { message: `before a commit on ${branch}`, tag: undefined, commit: undefined, always: false };
    case 'post-merge':
      return { message: `after a merge into ${branch}`, tag: tagOf('merge', head), commit: head, always: false };
    case 'post-checkout':
      if (args[2] !== '1') return undefined; // files of the index
      return { message: `after a checkout of ${branch}`, tag: undefined, commit: head, always: false };
  }
}

function pushOccasion({ args, head, input }: HookCall): Occasion | undefined {
  const pushed = input
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, commit = '']) => /[1-9a-f]/.test(commit)); // all zeros: the ref is deleted
  const [first] = pushed;
  if (first === undefined) return undefined;
  const [ref = '', commit = ''] = pushed.find((one) => one[1] === head) ?? first;
  const remote = withoutLogin(args[0] ?? '');
  const more = pushed.length === 1 ? '' : ` and ${pushed.length - 1} more`;
  const what = `${ref.replace(/^refs\/(heads|tags)\//, '')}${more}`;
  return {
    message: `before a push of ${what} (${commit.slice(0, 12)}) to ${remote}`,
    tag: tagOf('deploy', commit),
    commit,
    always: true,
  };
}

function tagOf(word: string, commit: string | undefined): string | undefined {
  return commit === undefined ? undefined : `${word}-${commit.slice(0, 12)}`;
}

/** A remote may be a URL that holds a password. */
function withoutLogin(remote: string): string {
  return remote.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');
}

/** `name`, or the first of `name.2`, `name.3` … that none of `taken` ends with: the same commit may be deployed again. */
export function freeTag(name: string, taken: Iterable<string>): string {
  const used = new Set([...taken].map((tag) => tag.slice(tag.indexOf('/') + 1)));
  for (let count = 1; ; count += 1) {
    const tag = count === 1 ? name : `${name}.${count}`;
    if (!used.has(tag)) return tag;
  }
}
