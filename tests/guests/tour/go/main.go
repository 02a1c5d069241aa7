// The tour in Go: what tour.c does, with Go's standard library. With "fail" as its argument it panics; with "recover" it recovers from one.
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func readFile() {
	text, err := os.ReadFile("/texts/limerick.txt")
	check(err)
	sum := 0
	for _, b := range text {
		sum += int(b)
	}
	fmt.Printf("limerick.txt: %d lines, %d bytes, sum %d\n", bytes.Count(text, []byte("\n")), len(text), sum)
}

func listFolder() {
	entries, err := os.ReadDir("/texts")
	check(err)
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	fmt.Println("texts:", strings.Join(names, " "))
}

func writeFile() {
	path := "/scratch/notes-go.txt"
	var text bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&text, "line %06d\n", i)
	}
	check(os.WriteFile(path, text.Bytes(), 0o666))
	back, err := os.ReadFile(path)
	check(err)
	check(os.Remove(path))
	fmt.Printf("notes.txt: wrote and read back %d bytes\n", len(back))
	_, err = os.Open("/scratch/missing.txt")
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("missing.txt: not found")
	}
}

// Many goroutines that wait for each other and for the clock.
func clocks() {
	before := time.Now()
	var all sync.WaitGroup
	ticks := make(chan int, 1)
	for i := range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			time.Sleep(time.Duration(i%5) * time.Millisecond)
			ticks <- i
		}()
	}
	go func() { all.Wait(); close(ticks) }()
	sum := 0
	for i := range ticks {
		sum += i
	}
	if sum == 1225 && time.Since(before) >= 4*time.Millisecond && before.Year() > 2020 {
		fmt.Println("clocks: ok")
	}
}

func randomNumbers() {
	a, b := make([]byte, 16), make([]byte, 16)
	rand.Read(a)
	rand.Read(b)
	if !bytes.Equal(a, b) {
		fmt.Println("random: ok")
	}
}

func recovered() (err error) {
	defer func() { err = fmt.Errorf("recovered from: %v", recover()) }()
	var table map[string]int
	table["x"] = 1
	return nil
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "fail" {
		panic("as asked")
	}
	if len(os.Args) == 2 && os.Args[1] == "recover" {
		fmt.Println(recovered())
		return
	}
	fmt.Println("arguments:", len(os.Args)-1)
	for _, argument := range os.Args[1:] {
		fmt.Println(" ", argument)
	}
	fmt.Println("GREETING=" + os.Getenv("GREETING"))
	if _, there := os.LookupEnv("MISSING"); !there {
		fmt.Println("MISSING is not set")
	}
	readFile()
	listFolder()
	writeFile()
	clocks()
	randomNumbers()
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Print("input: ", line)
}
