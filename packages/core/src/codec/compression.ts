/** How hard a writer tries to store fewer bytes: a setting of the project, of which nothing is in the format. */

/**
 * `off`: all content as it is. `fast`: what costs little beside reading, hashing and sealing it. `best`: what is smallest,
 * for archives. What mbk writes of its own, trees and lists, is compressed always.
 */
export const compressions = ['off', 'fast', 'best'] as const;

/** One of these. */
export type Compression = (typeof compressions)[number];

/** Where a project does not say. */
export const defaultCompression: Compression = 'fast';
