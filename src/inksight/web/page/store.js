// Records in the visitor's browser (IndexedDB), so that they survive a reload.

export class Store {
  // `keys`: for each table, by its name, the property of a record that identifies it, or several.
  constructor(name, keys) {
    Object.assign(this, { name, keys });
    this.pending = []; // changes that are not saved yet, because the storage is full or refused
    this.queue = Promise.resolve();
  }

  // Return the records of each table by its name, in the order of their keys.
  async read() {
    const tables = Object.keys(this.keys), transaction = (await this.open()).transaction(tables);
    const records = await Promise.all(tables.map((table) => settled(transaction.objectStore(table).getAll())));
    return Object.fromEntries(tables.map((table, i) => [table, records[i]]));
  }

  async open() {
    this.database ??= await openDatabase(this.name, this.keys);
    return this.database;
  }

  // Save changes, each {table, put: record} or {table, remove: key or range of keys}, together with those that failed before: all or none.
  // Resolves with whether everything is saved.
  save(changes) {
    this.pending.push(...changes);
    this.queue = this.queue.then(() => this.flush(), () => this.flush());
    return this.queue;
  }

  async flush() {
    const changes = this.pending.slice();
    if (!changes.length) return true;
    try {
      await write(await this.open(), changes);
    } catch {
      this.database = null; // a browser may have closed it: the next change opens it again
      return false;
    }
    this.pending.splice(0, changes.length);
    return true;
  }
}

function openDatabase(name, keys) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => Object.entries(keys).forEach(([table, keyPath]) => request.result.createObjectStore(table, { keyPath }));
  return settled(request);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function write(database, changes) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([...new Set(changes.map(({ table }) => table))], "readwrite");
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    for (const { table, put, remove } of changes) {
      const store = transaction.objectStore(table);
      if (put) store.put(put);
      else store.delete(remove);
    }
  });
}

let last = 0;

// Return a key above those that were made before, which another tab does not make at the same time.
export function makeId() {
  last = Math.max(last + 1, Date.now() * 1000);
  return last.toString(36).padStart(11, "0") + Math.random().toString(36).slice(2, 8);
}
