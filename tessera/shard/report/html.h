// Text into HTML. Names come from the model: nothing of them may be taken for markup.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tessera::shard::report {

// For text and for attributes in quotes: & < > " ' become entities; control characters and bytes that are not
// UTF-8 become U+FFFD.
std::string Escape(std::string_view text);

// At most `most` characters of a name, its middle left out where it is longer; escaped.
std::string Shortened(std::string_view name, size_t most);

// `page` with each {{key}} replaced by its text, which is HTML; what is put in is not looked at again. A key
// that `parts` lacks stays empty.
std::string FillIn(std::string_view page, const std::map<std::string, std::string>& parts);

// "1,234,567"
std::string Thousands(size_t number);

}  // namespace tessera::shard::report
