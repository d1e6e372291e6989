/** What the call bar unfolds. */
export type Panel = "people" | "devices" | "react" | "leave" | "chat" | "said" | "stats";
