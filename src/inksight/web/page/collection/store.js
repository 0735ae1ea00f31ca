// The collected examples in the visitor's browser (IndexedDB), so that they survive a reload.

const TABLES = ["classes", "examples"]; // {id, name}, and {id, of: id of the class, image}

export class Store {
  constructor() {
    this.pending = []; // changes that are not saved yet, because the storage is full or refused
    this.queue = Promise.resolve();
  }

  // Return {classes, examples} that are stored, in the order in which they were added.
  async read() {
    this.database ??= await open();
    const transaction = this.database.transaction(TABLES);
    const [classes, examples] = await Promise.all(TABLES.map((table) => settled(transaction.objectStore(table).getAll())));
    return { classes, examples };
  }

  // Save changes, each {table, put: record} or {table, remove: id}, together with those that failed before: all or none.
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
      this.database ??= await open();
      await write(this.database, changes);
    } catch {
      return false;
    }
    this.pending.splice(0, changes.length);
    return true;
  }
}

function open() {
  const request = indexedDB.open("inksight", 1);
  request.onupgradeneeded = () => TABLES.forEach((table) => request.result.createObjectStore(table, { keyPath: "id" }));
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
    const transaction = database.transaction(TABLES, "readwrite");
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    for (const { table, put, remove } of changes) {
      const store = transaction.objectStore(table);
      if (put) store.put(put);
      else store.delete(remove);
    }
  });
}
