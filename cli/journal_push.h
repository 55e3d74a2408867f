#pragma once

#include "cli/journal.h"
#include "cli/pedigree_options.h"
#include "cli/push_transfer.h"

namespace mendel::cli {

// What deliver_pedigree() does with a server: keeps in the journal what the body only
// names, and returns the members of a publish's or a run's body. An environment that was
// found becomes a push of its own, which comes first.
Json keep_pedigree(const Pedigree& pedigree, Journal& journal, const ArtifactName& owner);

// Keeps the content, completes its files' entries, and returns the digest of its manifest.
Digest keep_content(Journal& journal, PushContent& content);

// body: of the publish.
void append_push(Journal& journal, storage::ArtifactKind kind, const ArtifactName& name,
                 const Json& body, const std::string& idempotency_key);

}  // namespace mendel::cli
