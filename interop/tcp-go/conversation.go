package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// The caller sends 9 bytes that describe what follows: a mode, and the number of bytes.
const (
	upload   = 'u' // by the caller
	download = 'd' // by the callee
	both     = 'b' // by both at once
	echo     = 'e' // by the caller, who then ends its half, and by the callee after that
)

const headBytes = 9

// Both sides send the same bytes, which repeat after a prime number of them.
const period = 1048573
const partBytes = 1 << 18

var pattern = func() []byte {
	bytes := make([]byte, period+partBytes)
	state := uint32(12345)
	for at := range bytes[:period] {
		state = state*1664525 + 1013904223
		bytes[at] = byte(state >> 24)
	}
	copy(bytes[period:], bytes)
	return bytes
}()

func ask(conn net.Conn, mode byte, size int64) error {
	defer conn.Close()
	head := binary.BigEndian.AppendUint64([]byte{mode}, uint64(size))
	if _, err := conn.Write(head); err != nil {
		return err
	}
	if mode == echo {
		if err := write(conn, size); err != nil {
			return err
		}
		return read(conn, size)
	}
	return exchange(conn, size, mode != download, mode != upload)
}

func answer(conn net.Conn) error {
	defer conn.Close()
	head := make([]byte, headBytes)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	mode, size := head[0], int64(binary.BigEndian.Uint64(head[1:]))
	if mode == echo {
		if err := read(conn, size); err != nil {
			return err
		}
		return write(conn, size)
	}
	return exchange(conn, size, mode != upload, mode != download)
}

// exchange writes and reads concurrently; an unused direction has no bytes.
func exchange(conn net.Conn, size int64, writes, reads bool) error {
	written := make(chan error)
	go func() { written <- write(conn, sizeIf(writes, size)) }()
	readErr := read(conn, sizeIf(reads, size))
	if err := <-written; err != nil {
		return err
	}
	return readErr
}

func sizeIf(is bool, size int64) int64 {
	if is {
		return size
	}
	return 0
}

// write sends the pattern and closes its direction of the connection.
func write(conn net.Conn, size int64) error {
	for at := int64(0); at < size; {
		part := pattern[at%period:][:min(partBytes, size-at)]
		if _, err := conn.Write(part); err != nil {
			return fmt.Errorf("write at %d: %w", at, err)
		}
		at += int64(len(part))
	}
	return conn.(interface{ CloseWrite() error }).CloseWrite()
}

// read compares the input with the pattern until the other direction closes.
func read(conn net.Conn, size int64) error {
	buffer := make([]byte, partBytes)
	at := int64(0)
	for {
		n, err := conn.Read(buffer)
		if !bytes.Equal(buffer[:n], pattern[at%period:][:n]) {
			return fmt.Errorf("other bytes near %d", at)
		}
		at += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read at %d: %w", at, err)
		}
	}
	if at != size {
		return fmt.Errorf("%d bytes came, wanted %d", at, size)
	}
	return nil
}
