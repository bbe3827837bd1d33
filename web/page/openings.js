/** Opens one thing after the other: what was asked for last wins, what was asked for before ends silently. */
export class Openings {
  #last = new AbortController();

  /** End what is being opened now. */
  end() {
    this.#last.abort();
    this.#last = new AbortController();
  }

  /**
   * End what is being opened now, and open something else.
   *
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} open The signal is aborted when something else is opened.
   * @param {(opened: T) => void} [free] Called with what was opened too late.
   * @returns {Promise<T | null>} null where it was too late, also where it could not be opened then.
   */
  async open(open, free = () => {}) {
    this.end();
    const { signal } = this.#last;
    try {
      const opened = await open(signal);
      if (!signal.aborted) return opened;
      free(opened);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return null;
  }
}
