/**
 * How many tensors a file may have to be looked at: with more, a snapshot of it would take 64 MB more memory than one of
 * an empty file. Models have hundreds, those of many experts thousands in each of their files.
 */

/** Where all of them stand in one header. */
export const mostTensors = 32_768;

/** Where a pickle describes them, or each has a header of its own: with the other members of an archive. */
export const mostMembers = 20_480;
