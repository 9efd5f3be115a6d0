/**
 * Like `Promise.all`, except that of several failures it is the earliest in the order of the promises that is thrown,
 * after all have ended: the same data gives the same error, however fast each file is read.
 */
export async function allInOrder<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  return (await Promise.allSettled(promises)).map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
