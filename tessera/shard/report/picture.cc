#include "tessera/shard/report/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "tessera/base/format.h"
#include "tessera/shard/report/html.h"
#include "tessera/shard/report/layout.h"

namespace tessera::shard::report {
namespace {

constexpr size_t kMostDrawn = 700;  // nodes: about a megabyte of picture
constexpr size_t kMostPorts = 8;    // of a model's inputs or outputs
constexpr double kBoxWidth = 148;
constexpr double kBoxHeight = 40;
constexpr double kColumn = 164;
constexpr double kRow = 64;
constexpr double kMargin = 24;
constexpr double kFrameTop = 30;  // of a repeated block: its title

// Blue, green ..: one look of an edge or a box in the style sheet.
char Letter(Look look) {
  return static_cast<char>(look);
}

struct Point {
  double x = 0;
  double y = 0;  // of the upper edge
};

struct Edge {
  int from = 0;
  int to = 0;
  Look look = Look::kInside;
  auto operator<=>(const Edge&) const = default;
};

class Artist {
 public:
  Artist(const RankModel& ranks, const std::vector<NodeView>& views, const std::vector<double>& collective_us,
         const Sources& sources, const std::vector<Segment>& blocks)
      : ranks_(ranks), views_(views), collective_us_(collective_us), sources_(sources), blocks_(blocks) {}

  Picture Run() {
    DrawPorts(ranks_.graph.inputs(), ranks_.inputs, "input");
    number_.assign(views_.size(), -1);
    for (const Segment& block : blocks_) DrawBlock(block);
    DrawPorts(ranks_.graph.outputs(), ranks_.outputs, "output");
    picture_.svg = Compose();
    return std::move(picture_);
  }

 private:
  // A block of its own number of rows, below all that is there.
  void DrawBlock(const Segment& block) {
    if (picture_.drawn + block.period > kMostDrawn) {
      DrawLeftOut(block);
      return;
    }
    picture_.drawn += block.period;
    const int first = static_cast<int>(points_.size());
    std::vector<std::pair<int, int>> inside;
    for (size_t i = 0; i < block.period; ++i) {
      for (size_t copy = 0; copy < block.count; ++copy)
        number_[block.first + copy * block.period + i] = first + static_cast<int>(i);
      points_.emplace_back();
      for (const size_t from : sources_[block.first + i]) {
        if (from >= block.first)
          inside.emplace_back(static_cast<int>(from - block.first), static_cast<int>(i));
        Connect(number_[from], first + static_cast<int>(i), views_[from].look);
      }
      for (const graph::ValueId id : ranks_.graph.nodes()[block.first + i].inputs) {
        if (const auto port = ports_.find(id); port != ports_.end())
          Connect(port->second.first, first + static_cast<int>(i), port->second.second);
      }
    }
    const double top = bottom_ + (block.count > 1 ? kFrameTop : 0);
    Arrange(first, LayOut(static_cast<int>(block.period), inside), top);
    for (size_t i = 0; i < block.period; ++i) DrawNode(block.first + i, first + static_cast<int>(i));
    if (block.count > 1) Frame(block, top);
  }

  void Arrange(int first, const std::vector<Place>& places, double top) {
    for (size_t i = 0; i < places.size(); ++i) {
      Point& point = points_[static_cast<size_t>(first) + i];
      point = {places[i].column * kColumn, top + places[i].row * kRow};
      left_ = std::min(left_, point.x);
      right_ = std::max(right_, point.x);
      bottom_ = std::max(bottom_, point.y + kRow);
    }
  }

  // Edges that would go up belong to the next copy of a repeated block, which its frame stands for.
  void Connect(int from, int to, Look look) {
    if (from >= 0 && from < to) edges_.insert({from, to, look});
  }

  void DrawNode(size_t node, int number) {
    const NodeView& view = views_[node];
    std::string second = view.weights.empty() ? view.shape : "w " + view.weights;
    if (view.collective >= 0) {
      const auto& collective = ranks_.collectives[static_cast<size_t>(view.collective)];
      second = fmt::format("{}, {}", FormatBytes(collective.bytes),
                           FormatMicroseconds(collective_us_[static_cast<size_t>(view.collective)]));
    }
    const std::string whole = view.whole.empty() ? "" : ", a piece of " + Escape(view.whole);
    const std::string weights = view.weights.empty() ? "" : "\nweights " + Escape(view.weights);
    const std::string title = fmt::format("{}\n{} {}\n{}{}{}", Escape(view.name), Escape(view.op), view.state,
                                          Escape(view.shape), whole, weights);
    Box(points_[static_cast<size_t>(number)], Letter(view.look), view.op, view.state, second, title);
  }

  void Box(const Point& at, char look, const std::string& op, const std::string& state,
           const std::string& second, const std::string& title) {
    const double x = at.x - kBoxWidth / 2;
    boxes_ += fmt::format("<g class=\"n {}\"><title>{}</title>", look, title);
    boxes_ += fmt::format("<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{}\" height=\"{}\" rx=\"6\"/>", x, at.y,
                          kBoxWidth, kBoxHeight);
    boxes_ += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>", x + 8, at.y + 16,
                          Shortened(op, state.size() > 5 ? 10 : 14));
    boxes_ += fmt::format("<text class=\"st\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>", x + kBoxWidth - 8,
                          at.y + 16, Shortened(state, 11));
    boxes_ += fmt::format("<text class=\"sm\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text></g>\n", x + 8, at.y + 32,
                          Shortened(second, 26));
  }

  void DrawPorts(const std::vector<graph::ValueId>& values, const std::vector<State>& states,
                 const char* what) {
    const int first = static_cast<int>(points_.size());
    const size_t shown = std::min(values.size(), kMostPorts);
    std::vector<Place> places;
    for (size_t i = 0; i < shown; ++i) {
      points_.emplace_back();
      places.push_back({0, static_cast<double>(i) - static_cast<double>(shown - 1) / 2});
    }
    if (shown == 0) return;
    Arrange(first, places, bottom_);
    for (size_t i = 0; i < shown; ++i) {
      const graph::Value& value = ranks_.graph.value(values[i]);
      const Point& at = points_[static_cast<size_t>(first) + i];
      const std::string shape = fmt::format("{} {}", DTypeName(value.type), ToString(value.shape));
      const bool more = i + 1 == shown && shown < values.size();
      Box(at, Letter(LookOf(states[i])),
          more ? fmt::format("{} and {} more", what, values.size() - shown) : what,
          more ? "" : states[i].ToString(), value.name,
          fmt::format("{} {} {}\n{}", what, Escape(value.name), states[i].ToString(), Escape(shape)));
      if (value.producer == graph::kNoNode)
        ports_.try_emplace(values[i], first + static_cast<int>(i), LookOf(states[i]));
      else
        Connect(number_[static_cast<size_t>(value.producer.value())], first + static_cast<int>(i),
                LookOf(states[i]));
    }
  }

  void DrawLeftOut(const Segment& block) {
    picture_.left_out += block.period * block.count;
    points_.push_back({0, bottom_});
    Box(points_.back(), 'x', "not drawn", "", fmt::format("{} nodes", Thousands(block.period * block.count)),
        "Too many nodes to draw: see the list of blocks");
    bottom_ += kRow;
  }

  void Frame(const Segment& block, double top) {
    frames_.push_back({top - kFrameTop, bottom_ - kRow + kBoxHeight + 10,
                       fmt::format("{} times this block of {} nodes", block.count, block.period)});
    bottom_ += kFrameTop;
  }

  std::string Compose() const {
    const double x0 = left_ - kBoxWidth / 2 - kMargin;
    const double width = right_ - left_ + kBoxWidth + 2 * kMargin;
    std::string svg = fmt::format(
        "<svg id=\"graph\" viewBox=\"{:.0f} -16 {:.0f} {:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" "
        "role=\"img\" "
        "aria-label=\"The graph of a rank\">\n",
        x0, width, bottom_ + 16, width, bottom_ + 16);
    for (const auto& frame : frames_) {
      svg += fmt::format(
          "<rect class=\"frame\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"10\"/>"
          "<text class=\"times\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
          x0 + 6, frame.top, width - 12, frame.bottom - frame.top, x0 + 18, frame.top + 20, frame.title);
    }
    for (const Edge& edge : edges_) svg += Path(edge);
    return svg + boxes_ + "</svg>";
  }

  std::string Path(const Edge& edge) const {
    const Point& a = points_[static_cast<size_t>(edge.from)];
    const Point& b = points_[static_cast<size_t>(edge.to)];
    const double start = a.y + kBoxHeight;
    const double bend = std::min(60.0, (b.y - start) / 2);
    return fmt::format(
        "<path class=\"e {}\" d=\"M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}\"/>\n",
        Letter(edge.look), a.x, start, a.x, start + bend, b.x, b.y - bend, b.x, b.y);
  }

  struct FrameOf {
    double top, bottom;
    std::string title;
  };

  const RankModel& ranks_;
  const std::vector<NodeView>& views_;
  const std::vector<double>& collective_us_;
  const Sources& sources_;
  const std::vector<Segment>& blocks_;
  Picture picture_;
  std::vector<int> number_;  // by node: of its box, also in the copies of a block; -1 = not drawn
  std::map<graph::ValueId, std::pair<int, Look>> ports_;  // the boxes of model inputs
  std::vector<Point> points_;
  std::set<Edge> edges_;
  std::vector<FrameOf> frames_;
  std::string boxes_;
  double left_ = 0;
  double right_ = 0;
  double bottom_ = 0;
};

}  // namespace

Picture Draw(const RankModel& ranks, const std::vector<NodeView>& views,
             const std::vector<double>& collective_us, const Sources& sources,
             const std::vector<Segment>& blocks) {
  return Artist(ranks, views, collective_us, sources, blocks).Run();
}

}  // namespace tessera::shard::report
