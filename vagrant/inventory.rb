# frozen_string_literal: true

# Reads the lab's inventory (TOML) for the Vagrantfile, because no TOML library loads inside Vagrant.
#
# It knows the part of TOML that inventory/lab.toml uses and refuses the rest, with the line, instead of guessing:
# tables, arrays of tables, bare keys, basic strings, whole numbers, true and false, arrays and inline tables on one
# line, comments. A test holds it equal to a full TOML reader.
#
#   ruby inventory.rb FILE      prints what was read, as JSON

class Inventory
  class Error < StandardError; end

  Node = Struct.new(:name, :address, :site, :roles) do
    # What it is provisioned as
    def role = roles.first
  end

  attr_reader :document

  def self.read(path)
    new(File.read(path, encoding: "UTF-8"), path)
  end

  def initialize(text, path = "inventory")
    @path = path
    @document = Reader.new(text, path).read
  end

  def cluster = dig("cluster", "name")

  def vip = dig("vips", 0, "address")

  def nodes
    dig("nodes").map { |node| Node.new(*%w[name address site roles].map { |key| node.fetch(key) }) }
  rescue KeyError => e
    raise Error, "#{@path}: a node without #{e.key}"
  end

  # One pass over the lines; a cursor (@rest) moves along each.
  class Reader
    BARE_KEY = /\A[A-Za-z0-9_-]+/.freeze
    ESCAPES = { '"' => '"', "\\" => "\\", "n" => "\n", "t" => "\t" }.freeze

    def initialize(text, path)
      @lines = text.lines(chomp: true)
      @path = path
      @defined = {} # headers seen, so that none comes twice
    end

    def read
      @root = {}
      @table = @root
      @lines.each.with_index(1) do |line, number|
        @number = number
        @rest = line.strip
        read_line unless end_of_line?
      end
      @root
    end

    private

    def read_line
      if take("[[")
        open_table(header("]]"), list: true)
      elsif take("[")
        open_table(header("]"), list: false)
      else
        assign(@table)
      end
      refuse("nothing more") unless end_of_line?
    end

    def header(ending)
      keys = [key]
      keys << key while take(".")
      take(ending) || refuse(ending)
      keys
    end

    def open_table(keys, list:)
      name = keys.join(".")
      refuse("a table that is not there yet") if !list && @defined[name]
      parent = keys[0..-2].reduce(@root) { |table, key| step(table, key) }
      if list
        @table = {}
        (parent[keys.last] ||= []).push(@table)
        @defined.delete_if { |known, _| known.start_with?("#{name}.") }
      else
        @table = step(parent, keys.last)
        @defined[name] = true
      end
    end

    # Into a table; into the newest of a list of tables.
    def step(table, key)
      inner = (table[key] ||= {})
      inner = inner.last if inner.is_a?(Array)
      inner.is_a?(Hash) ? inner : refuse("a table, which #{key} is not")
    end

    def assign(table)
      name = key
      take("=") || refuse("=")
      refuse("a key that is not there yet") if table.key?(name)
      table[name] = value
    end

    def value
      return string if take('"')
      return list if take("[")
      return inline_table if take("{")
      return true if word("true")
      return false if word("false")

      number = @rest[/\A[+-]?(0|[1-9][0-9]*)(?![0-9A-Za-z_.:+-])/] || refuse("a value")
      advance(number)
      number.to_i
    end

    def string
      text = +""
      loop do
        part = @rest[/\A[^"\\\u0000-\u001f]*/]
        text << part
        @rest = @rest[part.length..]
        case @rest[0]
        when '"'
          advance('"')
          return text
        when "\\"
          text << (ESCAPES[@rest[1]] || refuse("a plainer string"))
          @rest = @rest[2..]
        else
          refuse("the end of a string")
        end
      end
    end

    def list
      items = []
      until take("]")
        items << value
        take(",") || @rest.start_with?("]") || refuse(", or ]")
      end
      items
    end

    def inline_table
      table = {}
      return table if take("}")

      loop do
        assign(table)
        return table if take("}")

        take(",") || refuse(", or }")
      end
    end

    def key
      found = @rest[BARE_KEY] || refuse("a bare key")
      advance(found)
      found
    end

    def word(text)
      advance(text) if @rest.match?(/\A#{text}(?![A-Za-z0-9_-])/)
    end

    def take(text)
      advance(text) if @rest.start_with?(text)
    end

    # Past `text`, which is known to come next, and past the blanks behind it. Truthy.
    def advance(text)
      @rest = @rest[text.length..].lstrip
      true
    end

    def end_of_line?
      @rest.empty? || @rest.start_with?("#")
    end

    def refuse(expected)
      raise Error, "#{@path}:#{@number}: expected #{expected}, found #{@rest.empty? ? 'the end of the line' : @rest}"
    end
  end

  private

  def dig(*keys)
    @document.dig(*keys) || raise(Error, "#{@path}: no #{keys.join('.')}")
  end
end

if $PROGRAM_NAME == __FILE__
  require "json"
  begin
    puts JSON.generate(Inventory.read(ARGV.fetch(0)).document)
  rescue Inventory::Error => e
    abort e.message
  end
end
