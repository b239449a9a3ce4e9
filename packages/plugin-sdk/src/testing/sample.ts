/** What the author of a plugin gives to the conformance suite. */

/** The three functions of vitest, jest and their kin. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void> | void): void;
  expect(actual: unknown): { toEqual(expected: unknown): void };
}

/** A valid file of a kind that the plugin knows. */
export interface PluginSample {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Other files, by what the plugin asks `sibling` for. */
  readonly siblings?: Readonly<Record<string, Uint8Array>>;
  /** Whether `layout` has an answer for it; true unless given. */
  readonly hasLayout?: boolean;
  /** Codes of the findings that it has, sorted, each once; none unless given. */
  readonly findings?: readonly string[];
}

/** A valid folder that a folder rule of the plugin holds for, with its files by relative path. */
export interface FolderSample {
  readonly path: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Codes of the folder's own findings, sorted, each once; none unless given. */
  readonly findings?: readonly string[];
}
