/**
 * What each command prints with `--json`: one schema a command, for every line of its output. Published in
 * docs/schemas/commands by `test/docs/make-command-schemas.ts`.
 */

import { errorTable } from '@mbk/core';
import { gitHookNames } from '../../packages/cli/src/git-hooks/hook-script.ts';
import { hookEvents, hookPolicies } from '../../packages/cli/src/hooks/hook-events.ts';
import {
  commit,
  count,
  event,
  flag,
  id32,
  list,
  object,
  oneOfTexts,
  orNull,
  path,
  sha256,
  text,
  time,
  type Schema,
} from './schema-builders.ts';

const error = event('error', {
  code: oneOfTexts(...Object.keys(errorTable)),
  message: text,
  remedy: text,
  details: { type: 'object' },
});
const notice = event('notice', { message: text });
const entryType = oneOfTexts('file', 'directory', 'symlink');
const texts = list(text);
const head = object({ n: count, hash: sha256 });
/** How fast work is; null as long as that is not known. */
const pace = { elapsedMs: count, bytesPerSecond: orNull(count), leftMs: orNull(count) };
const sizes = { raw: count, deduplicated: count, stored: count };
const integer = { type: 'integer' };
/** Of `mbk usage --assets`: `raw` is all the others together. */
const assetSizes = {
  raw: count,
  stored: count,
  saved: object({
    dedup: integer,
    zeros: count,
    raw: integer,
    zstd: integer,
    tensor: integer,
    delta: integer,
    derive: integer,
    other: integer,
  }),
  absent: count,
};
const actor = object({ id: sha256, name: orNull(text) });
const mode = { type: 'integer', minimum: 0, maximum: 0o7777 };
const owner = list({ type: 'integer', minimum: 0 }, { minItems: 2, maxItems: 2 });
const dependent = object({ commit, domain: text, collection: text, path });
const problems = list(object({ path, message: text }));
const usageProblems = list(object({ commit, collection: orNull(text), message: text }));

const listed = {
  path,
  type: entryType,
  mode,
  mtime: orNull(time),
  owner,
  size: orNull(count),
  sha256: orNull(sha256),
  target: orNull(path),
  collections: texts,
  sparse: flag,
  changed: flag,
};

const { type: _, sparse: __, changed: ___, ...foundEntry } = listed;

const findingFields = {
  code: text,
  severity: oneOfTexts('error', 'warning', 'info'),
  message: text,
  remedy: text,
  offset: count,
  pointer: text,
  line: count,
  column: count,
  count,
};
const rarely = ['remedy', 'offset', 'pointer', 'line', 'column', 'count'];
const finding = object({ ...findingFields, path: text }, [...rarely, 'path']);
const facts = { type: 'object', description: 'What the plugin says of it.' };
const asset = object(
  {
    path,
    collection: text,
    kind: text,
    size: count,
    sha256: orNull(sha256),
    tensors: count,
    plugin: text,
    summary: text,
    facts,
    findings: list(finding),
  },
  ['tensors', 'plugin', 'summary', 'facts', 'findings'],
);
const shownAsset = object({
  commit,
  domain: text,
  asset: orNull(asset),
  layout: orNull({ type: 'object', description: 'Where its tensors lie: docs/format.md, Content.' }),
  size: orNull(count),
  sha256: orNull(sha256),
});

const shownTensors = object({
  commit,
  domain: text,
  path,
  container: text,
  size: count,
  sha256,
  tensors: list(
    object({
      name: text,
      dtype: text,
      shape: list(count),
      bytes: count,
      inSkeleton: flag,
      how: list(text, {
        description: 'Codecs of its pieces; zeros where nothing is stored, absent where nothing is found.',
      }),
      stored: count,
      depth: count,
      bases: count,
      base: orNull(object({ blob: sha256, tensor: orNull(text), path: orNull(path), commit: orNull(commit) })),
    }),
  ),
});

const difference = object({
  kind: oneOfTexts('added', 'removed', 'modified', 'metadata', 'moved'),
  path,
  from: orNull(path),
  type: entryType,
  sizeBefore: orNull(count),
  sizeAfter: orNull(count),
  collection: orNull(text),
});
const differenceFields = {
  before: commit,
  after: orNull(commit),
  added: count,
  removed: count,
  modified: count,
  metadata: count,
  moved: count,
  bytesAdded: count,
  bytesRemoved: count,
  differences: list(difference),
  problems,
};
const differences = object(differenceFields);
const inside = object({
  path,
  kind: text,
  plugin: text,
  difference: orNull(
    object(
      {
        changes: list(
          object(
            {
              what: text,
              name: text,
              change: oneOfTexts('added', 'removed', 'changed', 'retyped', 'moved'),
              before: {},
              after: {},
            },
            ['before', 'after'],
          ),
        ),
        omitted: count,
        lines: texts,
        patch: {},
      },
      ['omitted', 'patch'],
    ),
  ),
  problem: orNull(finding),
});

const measure = orNull({ type: 'number', minimum: 0 });
const tensorDifference = object({
  path,
  container: text,
  compared: count,
  changed: list(
    object({
      name: text,
      dtype: text,
      shape: list(count),
      of: oneOfTexts('elements', 'blocks'),
      count,
      changed: count,
      maxAbs: measure,
      meanAbs: measure,
      notFinite: count,
    }),
  ),
  omitted: count,
  problem: orNull(text),
});

const totals = object({
  files: count,
  directories: count,
  symlinks: count,
  bytes: count,
  assets: count,
  added: count,
  stored: count,
});
const retention = orNull(object({ rule: orNull(text), lifetime: oneOfTexts('short', 'long', 'permanent') }));
const shown = object(
  {
    commit,
    domain: text,
    parent: orNull(commit),
    tags: texts,
    takenAt: time,
    startedAt: time,
    finishedAt: time,
    message: text,
    host: text,
    plan: orNull(text),
    run: id32,
    actor,
    tool: text,
    source: object({
      root: text,
      git: orNull(object({ commit: orNull(text), branch: orNull(text), dirty: flag })),
    }),
    flags: texts,
    totals,
    collections: list(
      object({
        name: text,
        takenAt: time,
        commit: orNull(commit),
        tree: sha256,
        links: orNull(sha256),
        assets: orNull(sha256),
        files: count,
        directories: count,
        symlinks: count,
        bytes: count,
        retention,
        flags: texts,
        expired: flag,
      }),
    ),
    notes: list(object({ path, problem: text })),
    notesOmitted: count,
    manifestSha256: sha256,
    parentProblem: orNull(text),
    entry: count,
    assets: list(asset, { description: 'The first 1000.' }),
    files: list(object(listed), { description: 'With --files.' }),
  },
  ['files'],
);

const historyRow = object({
  commit,
  domain: text,
  parent: orNull(commit),
  tags: texts,
  takenAt: time,
  message: text,
  host: text,
  plan: orNull(text),
  run: id32,
  actor,
  files: count,
  bytes: count,
  added: count,
  stored: count,
  flags: texts,
  captures: list(object({ collection: text, files: count, bytes: count, expired: flag })),
  carried: list(object({ collection: text, commit, expired: flag })),
  entry: count,
});

const verification = object({
  last: orNull(
    object({
      at: time,
      level: oneOfTexts('structure', 'data'),
      n: count,
      packs: count,
      packBytes: count,
      errors: count,
      warnings: count,
    }),
  ),
  packs: count,
  verifiedPacks: count,
  allSince: orNull(time),
});

const sourceProblem = object({ domain: text, collection: text, path, message: text });
const tag = { name: text, domain: text, commit, object: commit };
const collectionUsage = object({
  collection: text,
  captures: count,
  expired: count,
  ...sizes,
  files: count,
  newest: count,
});

const stray = { kind: oneOfTexts('data', 'meta'), id: sha256, bytes: count };
const indexPlan = {
  head: count,
  segments: list(object({ id: sha256, text, hasCopy: flag })),
  adopt: list(object(stray)),
  lost: list(object({ ...stray, dependents: list(dependent), dependentsOmitted: count })),
  left: list(object({ key: text, text })),
};
const logPlan = {
  head: count,
  steps: list(
    object(
      {
        kind: oneOfTexts('restore', 'void', 'anchor', 'leave', 'remove', 'state'),
        n: count,
        hash: sha256,
        through: count,
        text,
      },
      ['n', 'hash', 'through'],
    ),
  ),
  idleSegments: count,
};

/** SHA-256 of each file of the hooks of a project; null for a program of the system. */
const files: Schema = { type: 'object', additionalProperties: orNull(sha256) };

/** What a hook does and says. */
const hook = event(
  'hook',
  {
    event: oneOfTexts(...hookEvents),
    program: text,
    what: oneOfTexts('started', 'output', 'ended'),
    line: text,
    stream: oneOfTexts('stdout', 'stderr'),
    exitCode: orNull(count),
    problem: orNull(text),
  },
  ['line', 'stream', 'exitCode'],
);

const installedPlugin = { name: text, version: text, package: text, module: text };

const gitHook = {
  name: oneOfTexts(...gitHookNames),
  path: text,
  state: oneOfTexts('installed', 'changed', 'other', 'none'),
  hasEarlier: flag,
  options: orNull(
    object({ name: text, node: text, mbk: text, project: text, plan: text, repo: text, strict: flag }, [
      'plan',
      'repo',
    ]),
  ),
};

const snapshotLines: readonly Schema[] = [
  hook,
  event('progress', {
    files: count,
    totalFiles: orNull(count),
    bytes: count,
    totalBytes: orNull(count),
    newBytes: count,
    knownBytes: count,
    storedBytes: count,
    ...pace,
    path,
  }),
  event('finding', { severity: { const: 'error' }, path, message: text }),
  event('finding', { ...findingFields, domain: text, collection: text, path, kind: text, plugin: text, inside: text }, [
    ...rarely,
    'inside',
  ]),
  event('plan', {
    collections: list(
      object({
        domain: text,
        collection: text,
        files: count,
        symlinks: count,
        bytes: count,
        readFiles: count,
        readBytes: count,
      }),
    ),
    problems: list(object({ path, reason: text, message: text })),
  }),
  event(
    'summary',
    {
      run: id32,
      snapshots: list(
        object({
          domain: text,
          commit,
          parent: orNull(commit),
          tag: text,
          files: count,
          bytes: count,
          collections: list(object({ name: text, isTaken: flag, tree: sha256, files: count, bytes: count })),
        }),
      ),
      unchanged: texts,
      files: count,
      bytes: count,
      readBytes: count,
      newBytes: count,
      storedBytes: count,
      incomplete: list(sourceProblem),
      skipped: list(sourceProblem),
      statCacheProblem: text,
    },
    ['statCacheProblem'],
  ),
];

/** Lines of each command beside errors and notices, by its verb. */
const lines: Readonly<Record<string, readonly Schema[]>> = {
  init: [
    object({
      repository: id32,
      folder: text,
      slot: sha256,
      timezone: text,
      keyFile: orNull(text),
      recoveryKey: orNull(text),
      recoveryKeyFile: orNull(text),
      config: orNull({ type: 'object' }),
    }),
  ],
  snapshot: snapshotLines,
  validate: [
    event('finding', {
      path,
      kind: text,
      plugin: text,
      isExamined: flag,
      summary: orNull(text),
      facts: orNull(facts),
      findings: list(finding),
    }),
    event('finding', { severity: { const: 'error' }, path, message: text }),
    event('summary', {
      what: text,
      files: count,
      known: count,
      errors: count,
      warnings: count,
      unknown: list(path),
      problems: count,
    }),
  ],
  checkout: [
    hook,
    event('manifests', {
      path,
      files: list(object({ path: text, state: oneOfTexts('written', 'kept', 'failed') })),
      problem: orNull(finding),
    }),
    event('progress', { files: count, totalFiles: count, bytes: count, totalBytes: count, ...pace }),
    event('finding', { severity: { const: 'error' }, code: text, path, message: text, isDamage: flag }),
    event('finding', {
      entry: entryType,
      path,
      action: oneOfTexts('add', 'replace', 'stay', 'remove'),
      size: count,
    }),
    event('plan', {
      commit,
      domain: text,
      target: path,
      files: count,
      directories: count,
      symlinks: count,
      bytes: count,
      added: count,
      replaced: count,
      staying: count,
      extra: count,
      needed: count,
      free: orNull(count),
      expired: texts,
      broken: count,
    }),
    event('summary', {
      commit,
      domain: text,
      target: path,
      files: count,
      directories: count,
      symlinks: count,
      links: count,
      bytes: count,
      unchanged: count,
      kept: count,
      keptPaths: list(path),
      verified: count,
      removed: count,
      damaged: count,
      refused: count,
      failures: list(object({ path, code: text, message: text, isDamage: flag })),
      factProblems: list(object({ path, fact: oneOfTexts('owner', 'mode', 'time'), errno: text })),
      expired: texts,
      deleteSkipped: flag,
    }),
  ],
  log: [object({ timezone: text, snapshots: list(historyRow) })],
  show: [shown, shownAsset, shownTensors],
  ls: [object({ commit, domain: text, path, expired: texts, entries: list(object(listed)) })],
  cat: [],
  diff: [
    object(
      {
        ...differenceFields,
        inside: list(inside, { description: 'Not with --stat.' }),
        tensors: list(tensorDifference, { description: 'Between two snapshots; not with --stat.' }),
      },
      ['inside', 'tensors'],
    ),
  ],
  find: [
    event('progress', { done: count, total: count }),
    event('match', { entry: entryType, commit, domain: text, takenAt: time, tags: texts, ...foundEntry }),
    event('finding', { severity: { const: 'error' }, commit, domain: text, path: orNull(path), message: text }),
    event('summary', { matches: count, snapshots: count, problems: count }),
  ],
  usage: [
    event('progress', { done: count, total: count }),
    event('summary', {
      snapshots: count,
      ...sizes,
      domains: list(object({ domain: text, snapshots: count, ...sizes, collections: list(collectionUsage) })),
      periods: list(object({ period: text, snapshots: count, raw: count, added: count, stored: count })),
      storage: object({
        packs: count,
        meta: count,
        index: count,
        catalogue: count,
        log: count,
        state: count,
        keys: count,
        other: count,
        total: count,
      }),
      liveness: orNull(
        object({
          isComplete: flag,
          needed: object({ blobs: count, stored: count }),
          pinned: object({ blobs: count, bytes: count, stored: count }),
          broken: count,
          mayGo: object({ packs: count, bytes: count }),
          idleBytes: count,
        }),
      ),
      problems: usageProblems,
    }),
    event('summary', {
      snapshots: count,
      ...assetSizes,
      domains: list(
        object({
          domain: text,
          ...assetSizes,
          collections: list(
            object({
              collection: text,
              captures: count,
              ...assetSizes,
              assets: list(object({ path, kind: text, captures: count, ...assetSizes })),
              assetsOmitted: count,
              others: object(assetSizes),
            }),
          ),
        }),
      ),
      problems: usageProblems,
    }),
  ],
  status: [
    object({
      repository: text,
      source: orNull(text),
      domains: list(
        object({
          domain: text,
          files: orNull(count),
          bytes: orNull(count),
          newest: orNull(object({ commit, tag: orNull(text), takenAt: time })),
          changes: orNull(differences),
        }),
      ),
      head,
      verification,
    }),
  ],
  tag: [object({ tags: list(object({ ...tag, at: time, isOfSnapshot: flag, takenAt: orNull(time) })) }), object(tag)],
  verify: [
    event('progress', {
      phase: text,
      done: count,
      total: count,
      bytes: count,
      totalBytes: orNull(count),
      errors: count,
      ...pace,
    }),
    event(
      'finding',
      {
        code: text,
        severity: oneOfTexts('error', 'warning', 'note'),
        message: text,
        key: text,
        commit,
        path,
        dependents: list(dependent),
        dependentsOmitted: count,
      },
      ['key', 'commit', 'path', 'dependents', 'dependentsOmitted'],
    ),
    event('summary', {
      level: oneOfTexts('structure', 'data'),
      head,
      counts: object({
        logEntries: count,
        states: count,
        segments: count,
        packs: count,
        packBytes: count,
        deletedPacks: count,
        snapshots: count,
        tags: count,
        captures: count,
        expiredCaptures: count,
        trees: count,
        files: count,
        chunkLists: count,
      }),
      read: object({ packs: count, bytes: count, ofPacks: count, ofBytes: count }),
      strays: object({ packs: count, segments: count, bundles: count, states: count, other: count, bytes: count }),
      errors: count,
      warnings: count,
      findingsOmitted: count,
    }),
  ],
  'repair index': [
    event('plan', indexPlan),
    event('finding', { plan: object(indexPlan) }),
    event('summary', {
      entry: orNull(count),
      added: list(object({ id: sha256, blobs: count, bytes: count })),
      dropped: count,
      adopted: count,
      lost: count,
    }),
  ],
  'repair log': [
    event('plan', logPlan),
    event('finding', { plan: object(logPlan) }),
    event('summary', {
      n: count,
      hash: sha256,
      damage: list(object({ n: count, key: text, reason: text, text, blocksWriters: flag })),
      idleSegments: count,
    }),
  ],
  'key add': [
    object({
      id: sha256,
      name: text,
      kind: oneOfTexts('passphrase', 'key-file', 'recovery'),
      actor: sha256,
      file: orNull(text),
      recoveryKey: orNull(text),
    }),
  ],
  'key list': [
    object({
      keys: list(
        object({
          id: orNull(sha256),
          state: text,
          name: orNull(text),
          role: orNull(text),
          actor: orNull(sha256),
          kind: orNull(text),
          addedAt: orNull(time),
          removedAt: orNull(time),
          isCurrent: flag,
          damagedCopies: texts,
        }),
      ),
    }),
  ],
  'key remove': [object({ id: orNull(sha256), name: orNull(text), kind: orNull(text), isCurrent: flag, left: count })],
  'plugins create': [object({ folder: text, files: texts })],
  'plugins install': [object({ folder: text, plugins: list(object(installedPlugin)) })],
  'plugins list': [
    object({ project: text, plugins: list(object({ scope: oneOfTexts('project', 'user'), ...installedPlugin })) }),
  ],
  'plugins remove': [object({ folder: text, removed: text })],
  'plugins check': [
    event('finding', { test: text, passed: flag, problem: orNull(text) }),
    event('summary', { passed: count, failed: count, samples: count }),
  ],
  'hook install': [object(gitHook, ['options'])],
  'hook list': [object({ folder: text, hooks: list(object(gitHook)) })],
  'hook uninstall': [object({ folder: text, removed: list(oneOfTexts(...gitHookNames)) })],
  'hook run': [object({ hook: oneOfTexts(...gitHookNames), isDue: { const: false } }), ...snapshotLines],
  trust: [
    object({
      projects: list(object({ project: text, trustedAt: time, hooks: orNull(sha256), plugins: orNull(sha256), files })),
    }),
    object({ project: text, wasTrusted: flag, isTrusted: flag }),
    object({
      project: text,
      isTrusted: flag,
      changes: texts,
      hooks: list(
        object({
          event: oneOfTexts(...hookEvents),
          program: text,
          policy: oneOfTexts(...hookPolicies),
          timeoutMs: count,
        }),
      ),
      plugins: list(object({ name: text, place: text, file: text })),
      files,
    }),
  ],
  completion: [object({ shell: oneOfTexts('bash', 'zsh', 'fish'), script: text })],
  'catalogue export': [
    object({ target: text, commits: count, tags: count, objects: count, domains: texts, skipped: texts }),
  ],
  'cat-object': [
    object({
      id: { type: 'string', pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$' },
      type: text,
      size: count,
      content: path,
    }),
  ],
  'cat-log': [
    object({
      n: count,
      hash: sha256,
      previous: sha256,
      at: time,
      actor,
      tool: text,
      audit: list({ type: 'object' }),
      sections: list({
        type: 'object',
        required: ['scope', 'ops'],
        properties: {
          scope: text,
          ops: list({
            type: 'object',
            required: ['op'],
            properties: { op: text },
            additionalProperties: true,
            description: 'See docs/format.md, Operations.',
          }),
        },
      }),
      skipped: list(id32),
    }),
  ],
  'self-test': [
    object({
      node: text,
      worker: text,
      passed: count,
      failed: count,
      answers: list(object({ name: text, source: text, implementations: texts, passed: flag })),
    }),
  ],
};

/** Path of the published schema of a command. */
export function schemaPath(verb: string): string {
  return `docs/schemas/commands/${verb.replaceAll(' ', '-')}.schema.json`;
}

/** Schemas by the path where they are published. */
export const commandSchemas: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries(lines).map(([verb, own]) => [
    schemaPath(verb),
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: `mbk ${verb} --json`,
      description:
        verb === 'cat'
          ? 'The bytes of the file are printed as they are; only an error is JSON.'
          : 'Each line of the output. Fields are only ever added.',
      anyOf: [...own, ...(verb === 'cat' ? [] : [notice]), error],
    },
  ]),
);

/** The schema with nothing allowed that it does not name: what the tests hold output against. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      name === 'properties'
        ? Object.fromEntries(Object.entries(value as object).map(([field, one]) => [field, closed(one)]))
        : closed(value),
    ]),
  );
  return 'properties' in copy && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}
