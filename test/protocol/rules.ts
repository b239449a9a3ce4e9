/**
 * The rules of the protocol (`docs/format.md`, "The log"), each a switch of the model.
 *
 * With all of them on no schedule loses anything; with any one of them off some schedule does
 * (`model.test.ts` and `rules.test.ts` show it). The statements are the wording of the format document.
 */

/** Every rule without which something is lost, with its statement. */
export const RULES = {
  // The log.
  casPutIfAbsent: 'Entry n+1 is put only if it is absent; no entry is ever replaced.',
  inDoubtIsCompared:
    'A put of an entry that ended in doubt is repeated with the same bytes; "exists" is success only if the stored bytes are equal.',
  commitOnNewestHead:
    "An advance names as parent the domain's head at entry n; after a lost race commit and tag are built again.",

  // The order of writing.
  packsBeforeIndex: 'A segment is put after every pack that it has rows of.',
  indexBeforeEntry: 'An advance is put together with, or after, the index operations that make its blobs resolve.',
  catalogueBeforeEntry: 'An advance is put after the catalogue bundle that it names.',

  // The writer: what it may rely on.
  journalAfterPut: 'A pack enters the journal after its put was acknowledged.',
  knownIsLive: 'A blob is known only through a live segment and a pack that is neither deleted nor lost.',
  knownIsWhole: 'A blob is known only if the copy is whole: each of its bases has a whole copy of smaller depth.',
  reliesOnBasesOfHits: 'A dedup hit relies on the packs of its whole chain of bases, not on its own pack alone.',
  reliesOnBasesItUses: 'A blob stored over a base relies on the packs of the whole chain of that base.',
  reuseOnlyLiveCaptures: 'A tree is reused by stat only from a capture that is live at entry a.',
  reuseNotAcrossLost:
    'A tree is reused by stat only if no pack was declared lost since its capture (else its blobs are looked up one by one).',

  // The writer: what it checks before it puts n+1.
  writerRechecksDeleted: 'No entry from a+1 to n deletes a pack that the snapshot relies on.',
  writerRechecksOwn: 'No entry from a+1 to n deletes a pack, segment or bundle that the writer itself stored.',
  writerRechecksExpired: 'No entry from a+1 to n expires a capture whose tree the snapshot reused.',
  writerRechecksLost:
    'No entry from a+1 to n declares a pack lost that the snapshot relies on, stored, or may have reused by stat.',
  writerRechecksAfterLostRace:
    'The check is made again after every lost race, up to the entry before the one to be put.',
  unexpireRechecks:
    'An unexpire requires a whole copy of every blob of the capture and makes the check of a writer for all the packs of those copies.',

  // Prune.
  deleteRecomputesNeed: 'A delete names only packs that nothing live needs at d-1, whatever the condemn named.',
  deleteRecomputesAtItsHead: 'After a lost race the need is computed again at the new head.',
  deleteKeepsCopyOutsideAllDeletions: 'The copy that is kept lies in a pack that no delete, of whomever, has named.',
  deleteEntryBeforeBytes: 'Bytes are removed only after the entry that deletes them is in the log.',
  pruneFollowsBases: 'Need includes the bases and sources of a kept copy, transitively.',
  pruneCountsOnlyWholeCopies:
    'A copy may go only if a whole copy of its blob remains; a copy whose bases are gone counts for nothing, whatever its depth.',
  baseOfSmallerDepth: 'A base resolves only to a copy of smaller depth, for readers, writers and prune alike.',
  pruneKeepsWhatIsBroken: 'Copies of a needed blob that has no whole copy stay, and so do the copies of their bases.',
  straysOnlyThroughLog:
    'Packs, segments and bundles that no entry names are removed by condemn and delete like any other.',
  deletedIsForever: 'The fold never forgets a deleted or lost name; no later entry revives it.',

  // Index segments.
  indexLiveByLog: 'Segments are live by the fold of the log, never by LIST.',
  addRechecksSegment:
    'An index entry (of a writer, a merge or a repair) requires that no entry up to n deletes the segment that it adds.',
  mergeKeepsCondemned: 'A merge drops the rows of deleted and lost packs and no others.',
  segmentNamesNeverRecur: 'The bytes of a segment contain a random salt: no name recurs.',

  // Repair and readers.
  lostConfirmedByGet: 'A pack is declared lost after a GET that found nothing, never by LIST.',
  readerRereadsWhileLogMoves:
    'A reader that misses a pack or a segment reads the log again, as often as the log has moved on.',
} as const;

/**
 * Habits that no schedule needs: they save work or space, or they stand behind another rule.
 * The model shows that it loses nothing without them.
 */
export const COMFORTS = {
  condemnBeforeDelete: 'A pack is condemned before it is deleted (what the grace for undelete hangs on).',
  knownIsNotCondemned: 'A blob whose copy lies in a condemned pack is stored again.',
  mergeDropsDead: 'A merge drops the rows of deleted and lost packs (stands behind deletedIsForever).',
} as const;

export type Rule = keyof typeof RULES | keyof typeof COMFORTS;
export type Rules = Readonly<Record<Rule, boolean>>;

/** The names of all rules without which something is lost. */
export const ruleNames: readonly (keyof typeof RULES)[] = Object.keys(RULES) as (keyof typeof RULES)[];

/** The names of all comforts. */
export const comfortNames: readonly (keyof typeof COMFORTS)[] = Object.keys(COMFORTS) as (keyof typeof COMFORTS)[];

/** The protocol with all its rules, or with those of `off` broken. */
export function rulesWithout(...off: readonly Rule[]): Rules {
  const names: readonly Rule[] = [...ruleNames, ...comfortNames];
  return Object.fromEntries(names.map((name) => [name, !off.includes(name)])) as Record<Rule, boolean>;
}
