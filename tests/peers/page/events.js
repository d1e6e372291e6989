// The part of Node's event emitter that @mattermost/calls-common uses.

export class EventEmitter {
    #listeners = new Map();

    on(name, listener) {
        this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
        return this;
    }

    removeAllListeners(name) {
        this.#listeners.delete(name);
        return this;
    }

    emit(name, ...words) {
        for (const listener of this.#listeners.get(name) ?? []) {
            listener(...words);
        }
        return this.#listeners.has(name);
    }
}
